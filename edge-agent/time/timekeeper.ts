/**
 * What time it is on a computer that may not know it, e.g. a gateway without a battery for its clock.
 *
 * `unsynced`: the wall clock is certainly or probably wrong: before the earliest time that is possible, before the time that was last seen,
 * or, after a boot, hardly later than that while the system says that it is not synchronised (a clock restored from a file, as
 * fake-hwclock does). What is probably wrong is believed after `patienceMs`, since a clock that was once far ahead must not hold up
 * data for ever; what is certainly wrong is not. `holdover`: plausible. `synced`: the system says that it follows a time server.
 *
 * `clock` is for everybody in the agent: the wall clock while it is believed, and else a provisional time that goes on from the last
 * time known by the monotonic clock. So the agent never speaks of 1970. A step of a clock that is believed is followed, logged and counted:
 * order is by sequence numbers, not by time.
 */
import type { Clock, Env, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import { z } from 'zod';
import type { TimeSources } from './time-sources.ts';

export type ClockState = 'synced' | 'holdover' | 'unsynced';

export interface ClockHealth {
  readonly state: ClockState;
  /** Steps of more than 500 ms since the start. */
  readonly steps: number;
  /** Wall clock minus the time that the agent goes by; only while they differ. */
  readonly offsetMs?: number | undefined;
}

export interface Timekeeper {
  /** Timers and monotonic time are those of the environment. */
  readonly clock: Clock;
  readonly state: ClockState;
  health(): ClockHealth;
  /** Whether the provisional clock may have made this time stamp, rather than a source that knows the time. */
  isProvisional(timestampMs: number): boolean;
  /** Time stamp minus time since boot: what turns provisional times of this process into those of its boot. */
  readonly offsetMs: number;
  /** Calls `run` when the time becomes known, at once when it is. */
  whenKnown(run: () => void): void;
  /** Keeps the time for the next start. */
  close(): Promise<void>;
}

export interface TimekeeperDeps {
  readonly env: Env;
  readonly sources: TimeSources;
  readonly log: Log;
}

/** No clock that is right shows less. */
export const earliestMs = Date.UTC(2025, 0, 1);
const stepMs = 500;
const lookMs = 1_000;
const keepMs = 60_000;
const lateMs = 2_000;
/** A restored clock is not further ahead of what was last seen than a boot takes, with a margin. */
const restoredMs = 10 * 60_000;
const patienceMs = 5 * 60_000;
const fileName = 'last.json';
const content = z.strictObject({ lastMs: z.number().int(), bootId: z.string() });

export async function openTimekeeper(folder: string, { env, sources, log }: TimekeeperDeps): Promise<Timekeeper> {
  const { clock, disk } = env;
  const last = await load();
  const startMono = clock.monotonic();
  const isSameBoot = last?.bootId === sources.bootId;
  const floorMs = Math.max(earliestMs, last?.lastMs ?? 0);
  /** Where the provisional time goes on from. */
  let anchor = { wallMs: floorMs, monoMs: startMono };
  /** The last provisional time, and when the time became known. */
  let known: { readonly provisionalMs: number; readonly monoMs: number } | undefined;
  const provisional = (): number => Math.floor(anchor.wallMs + clock.monotonic() - anchor.monoMs);

  let state: ClockState = 'unsynced';
  const judge = (): ClockState => {
    const wallMs = clock.now();
    if (wallMs < earliestMs) return state === 'unsynced' ? 'unsynced' : 'holdover';
    const isSynchronised = sources.isSynchronised();
    if (isSynchronised === true) return 'synced';
    if (state !== 'unsynced') return 'holdover';
    const isRestored = !isSameBoot && isSynchronised === false && last !== undefined && wallMs < floorMs + restoredMs;
    const isPlausible = wallMs >= floorMs && !isRestored;
    return isPlausible || clock.monotonic() - startMono >= patienceMs ? 'holdover' : 'unsynced';
  };

  state = judge();
  let steps = 0;
  let drift = clock.now() - clock.monotonic();
  let waiting: (() => void)[] = [];
  let isFailing = false;
  const isBelieved = (): boolean => state !== 'unsynced' && clock.now() >= earliestMs;
  const now = (): number => (isBelieved() ? clock.now() : provisional());
  if (state === 'unsynced')
    log.warn({ wallMs: clock.now(), floorMs }, 'The clock is not known to be right: readings are held until it is.');

  const look = (): void => {
    const nextDrift = clock.now() - clock.monotonic();
    const jumpMs = Math.round(nextDrift - drift);
    drift = nextDrift;
    const before = state;
    if (Math.abs(jumpMs) > stepMs) steps++;
    const provisionalMs = provisional();
    state = judge();
    if (isBelieved()) anchor = { wallMs: clock.now(), monoMs: clock.monotonic() };
    if (Math.abs(jumpMs) > stepMs) {
      log.warn({ jumpMs, state }, 'The wall clock made a step.');
      // A step back must not look like a wrong clock at the next start.
      if (isBelieved()) kept = kept.then(keep);
    }
    if (before !== 'unsynced' || state === 'unsynced') return;
    known = { provisionalMs, monoMs: clock.monotonic() };
    log.info({ state }, 'The time is known.');
    for (const run of waiting.splice(0)) run();
  };

  async function load(): Promise<z.infer<typeof content> | undefined> {
    const bytes = await readSmallFile(disk, folder, fileName);
    if (bytes === undefined) return undefined;
    try {
      return content.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch (error) {
      log.warn({ folder, err: error }, 'The last known time cannot be read.');
      return undefined;
    }
  }

  async function keep(): Promise<void> {
    try {
      const bytes = new TextEncoder().encode(JSON.stringify({ lastMs: Math.floor(now()), bootId: sources.bootId }));
      await replaceSmallFile(disk, folder, fileName, bytes);
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, 'The last known time cannot be kept.');
      isFailing = true;
    }
  }

  let kept: Promise<void> = Promise.resolve();
  let looking: Timer = clock.after(lookMs, function again() {
    look();
    looking = clock.after(lookMs, again);
  });
  let keeping: Timer = clock.after(keepMs, function again() {
    kept = kept.then(keep);
    keeping = clock.after(keepMs, again);
  });

  return {
    clock: { ...clock, now },
    get state() {
      return state;
    },
    health: () => {
      const offsetMs = Math.round(clock.now() - now());
      return { state, steps, ...(offsetMs === 0 ? {} : { offsetMs }) };
    },
    isProvisional: (timestampMs) => {
      if (timestampMs < floorMs) return false;
      if (state === 'unsynced') return timestampMs <= provisional() + lookMs;
      // Stamped just before.
      return known !== undefined && clock.monotonic() - known.monoMs < lateMs && timestampMs <= known.provisionalMs + lookMs;
    },
    offsetMs: floorMs - sources.sinceBootMs(),
    whenKnown: (run) => {
      if (state !== 'unsynced') run();
      else waiting = [...waiting, run];
    },
    close: async () => {
      looking.cancel();
      keeping.cancel();
      await kept;
      await keep();
    },
  };
}
