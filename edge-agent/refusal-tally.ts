import type { Clock, Timer } from '@nhip/core/process/env';
import type { CommandRefusal } from './session/device-command.ts';

/**
 * Makes few lines of many refusals. The first of a kind (device, metric and reason) is a line at once. Those that follow within a minute
 * are counted and become one line at its end. Of more kinds than `maxKinds` in one minute only the number is kept, so that no host can
 * fill the disk by inventing names.
 */
export interface RefusalTally {
  add(refusal: CommandRefusal): void;
  /** Keeps what is counted. */
  close(): void;
}

export interface RefusalLine extends CommandRefusal {
  /** Refusals that this line stands for, the last of which it describes; undefined for a single one. */
  readonly more?: { readonly count: number; readonly sinceMs: number } | undefined;
}

export const maxKinds = 64;
const windowMs = 60_000;

interface Kind {
  last: CommandRefusal;
  sinceMs: number;
  count: number;
}

const longestText = 200;

export function createRefusalTally(clock: Clock, keep: (line: RefusalLine) => void): RefusalTally {
  const kinds = new Map<string, Kind>();
  let others: Kind | undefined;
  let timer: Timer | undefined;

  function flush(): void {
    timer?.cancel();
    timer = undefined;
    const counted = [...kinds.values(), ...(others === undefined ? [] : [others])].filter(({ count }) => count > 0);
    kinds.clear();
    others = undefined;
    for (const { last, count, sinceMs } of counted) keep({ ...last, more: { count, sinceMs } });
  }

  return {
    add(given) {
      const refusal = shortened(given);
      const { timestampMs } = refusal;
      timer ??= clock.after(windowMs, flush);
      const key = kindOf(refusal);
      const known = kinds.get(key);
      if (known !== undefined) {
        if (known.count === 0) known.sinceMs = timestampMs;
        known.last = refusal;
        known.count++;
      } else if (kinds.size < maxKinds) {
        kinds.set(key, { last: refusal, sinceMs: timestampMs, count: 0 });
        keep(refusal);
      } else {
        const last = { deviceId: '*', reason: 'refusals of many kinds', timestampMs };
        others = { last, sinceMs: others?.sinceMs ?? timestampMs, count: (others?.count ?? 0) + 1 };
      }
    },
    close: flush,
  };
}

function shortened(refusal: CommandRefusal): CommandRefusal {
  const { value, reason } = refusal;
  return {
    ...refusal,
    ...(typeof value === 'string' ? { value: value.slice(0, longestText) } : {}),
    reason: reason.slice(0, longestText),
  };
}

/** Reasons tell the value: without it they are the same. */
function kindOf({ deviceId, metric, value, reason }: CommandRefusal): string {
  const text = value === undefined || value === null ? '' : String(value);
  return JSON.stringify([deviceId, metric ?? null, text === '' ? reason : reason.replaceAll(text, '')]);
}
