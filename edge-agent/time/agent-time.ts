import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { type HeldReadings, type HeldReadingsDeps, openHeldReadings } from './held-readings.ts';
import type { TimeSources } from './time-sources.ts';
import { type ClockHealth, openTimekeeper, type Timekeeper } from './timekeeper.ts';

/** The agent's sense of time: an environment whose clock never speaks of 1970, and the place where readings wait for the time. */
export interface AgentTime {
  readonly env: Env;
  /** Finds out what is known about the time. Nobody uses `env.clock` before. */
  open(): Promise<void>;
  /** Opens the stage before the outbox; the outbox must be open. */
  hold(deps: Pick<HeldReadingsDeps, 'forward' | 'outbox' | 'onFatal'>): Promise<HeldReadings>;
  health(): ClockHealth;
  /** Keeps the time for the next start. */
  close(): Promise<void>;
}

export function createAgentTime(env: Env, log: Log, sources: TimeSources): AgentTime {
  let timekeeper: Timekeeper | undefined;
  const clock = { ...env.clock, now: () => (timekeeper?.clock ?? env.clock).now() };
  const trusted: Env = { ...env, clock };
  return {
    env: trusted,
    open: async () => {
      timekeeper = await openTimekeeper('time', { env, sources, log });
    },
    hold: (deps) => {
      if (timekeeper === undefined) throw new Error('the time must be opened first');
      return openHeldReadings('held', { ...deps, env: trusted, log, timekeeper, sources });
    },
    health: () => timekeeper?.health() ?? { state: 'unsynced', steps: 0 },
    close: async () => {
      await timekeeper?.close();
    },
  };
}
