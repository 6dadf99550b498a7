import type { Loss, LossReason } from '@nhip/core/wire/loss';

/** Rows of the store that belong together: one edge, one reason, learned of within a few minutes. */
export interface LossEvent {
  /** '' when nobody knows. */
  readonly edge: string;
  readonly reason: LossReason;
  /** 0: nobody can know. */
  readonly samples: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly atMs: number;
  /** Known machines concerned, sorted. */
  readonly machines: readonly string[];
  /** Known metrics concerned: how many. */
  readonly metrics: number;
}

const togetherMs = 10 * 60_000;

/** Loss events without dead letters, newest first. `losses` is newest first, as the server gives them. */
export function lossEvents(losses: readonly Loss[]): readonly LossEvent[] {
  const groups: { readonly rows: Loss[]; oldestAtMs: number }[] = [];
  for (const loss of losses) {
    if (loss.reason === 'deadLettered') continue;
    const group = groups.find(
      ({ rows: [first], oldestAtMs }) =>
        first !== undefined && first.edge === loss.edge && first.reason === loss.reason && oldestAtMs - loss.atMs <= togetherMs,
    );
    if (group === undefined) groups.push({ rows: [loss], oldestAtMs: loss.atMs });
    else {
      group.rows.push(loss);
      group.oldestAtMs = loss.atMs;
    }
  }
  return groups.flatMap(({ rows }) => eventOf(rows) ?? []);
}

function eventOf(rows: readonly Loss[]): LossEvent | null {
  const [first] = rows;
  if (first === undefined) return null;
  const names = (name: (row: Loss) => string): string[] => [...new Set(rows.map(name))].filter((text) => text !== '').sort();
  return {
    edge: first.edge,
    reason: first.reason,
    samples: rows.reduce((sum, { samples }) => sum + samples, 0),
    fromMs: rows.reduce((least, { fromMs }) => Math.min(least, fromMs), first.fromMs),
    toMs: rows.reduce((most, { toMs }) => Math.max(most, toMs), first.toMs),
    atMs: first.atMs,
    machines: names(({ machine }) => machine),
    metrics: names(({ machine, metric }) => (metric === '' ? '' : `${machine} ${metric}`)).length,
  };
}

export interface DeadLetterCount {
  /** Why, e.g. `notANumber`. */
  readonly detail: string;
  readonly samples: number;
  readonly lastAtMs: number;
}

/** Dead letters by reason, most first; replayed ones are taken off. */
export function deadLetterCounts(losses: readonly Loss[]): readonly DeadLetterCount[] {
  const counts = new Map<string, DeadLetterCount>();
  for (const { reason, detail, samples, atMs } of losses) {
    if (reason !== 'deadLettered') continue;
    const known = counts.get(detail);
    counts.set(detail, { detail, samples: samples + (known?.samples ?? 0), lastAtMs: Math.max(atMs, known?.lastAtMs ?? atMs) });
  }
  return [...counts.values()].filter(({ samples }) => samples > 0).sort((a, b) => b.samples - a.samples);
}
