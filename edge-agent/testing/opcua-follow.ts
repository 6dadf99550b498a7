import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { Driver, DriverDeps, Reading } from '../driver.ts';
import { opcuaConfig } from '../drivers/opcua/config.ts';
import { opcua } from '../drivers/opcua/index.ts';

/** A connected and subscribed driver, and what it said. */
export interface Followed {
  readonly driver: Driver;
  readonly readings: readonly Reading[];
  readonly lost: readonly Error[];
  last(metric: string): Reading | undefined;
  /** All readings of a metric, in the order in which they came. */
  all(metric: string): readonly Reading[];
}

export function opcuaDeps(stateDir: string): DriverDeps {
  return { clock: createNodeClock(), random: createSimRandom(1), log: silentLog(), stateDir };
}

export async function makeDriver(config: unknown, deps: DriverDeps): Promise<Driver> {
  return (await opcua.load()).create(opcuaConfig.parse(config), deps);
}

export async function followDriver(config: unknown, deps: DriverDeps): Promise<Followed> {
  const driver = await makeDriver(config, deps);
  const readings: Reading[] = [];
  const lost: Error[] = [];
  const { signal } = new AbortController();
  try {
    await driver.connect(signal);
    await driver.subscribe?.(
      (_, all) => readings.push(...all),
      (error) => lost.push(error),
      signal,
    );
  } catch (error) {
    await driver.close();
    throw error;
  }
  return {
    driver,
    readings,
    lost,
    last: (metric) => readings.findLast((reading) => reading.metric === metric),
    all: (metric) => readings.filter((reading) => reading.metric === metric),
  };
}
