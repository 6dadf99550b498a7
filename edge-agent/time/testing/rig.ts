import { silentLog } from '@nhip/core/process/log';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import type { SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { Reading } from '../../driver.ts';
import { type Outbox, openOutbox } from '../../outbox/outbox.ts';
import { definitions, recordsFrom } from '../../outbox/testing/rig.ts';
import { type HeldReadings, openHeldReadings } from '../held-readings.ts';
import type { TimeSources } from '../time-sources.ts';
import { openTimekeeper, type Timekeeper } from '../timekeeper.ts';

/** A computer between two starts: its clock, which begins at `wallMs`, and what its system says about it. */
export interface Computer {
  readonly clock: SimClock;
  readonly sources: TimeSources & { isSynced: boolean | undefined };
}

let boots = 0;

export function bootComputer(wallMs: number, isSynced: boolean | undefined = undefined): Computer {
  const clock = createSimClock(wallMs);
  const bootId = `boot-${++boots}`;
  const sources: Computer['sources'] = {
    bootId,
    isSynced,
    sinceBootMs: () => clock.monotonic(),
    isSynchronised: () => sources.isSynced,
  };
  return { clock, sources };
}

export interface Life {
  readonly timekeeper: Timekeeper;
  readonly held: HeldReadings;
  readonly outbox: Outbox;
  /** Reads a metric now, as a driver would: with the time that the agent goes by. */
  read(value: number, timestampMs?: number): Promise<void>;
  stop(): Promise<void>;
}

let lives = 0;

/** One life of the agent on a computer: clock, held readings, outbox. */
export async function startLife(disk: SimDisk, { clock, sources }: Computer, quotaBytes?: number): Promise<Life> {
  const env = { clock, random: createSimRandom(++lives), disk: disk.boot() };
  const log = silentLog();
  const open = async (): Promise<Life> => {
    const timekeeper = await openTimekeeper('time', { env, sources, log });
    const trusted = { ...env, clock: timekeeper.clock };
    const config = { maxBytes: 4_000_000, commitDelayMs: 10, maxRecordBytes: 16_000 };
    const outbox = await openOutbox(trusted, 'outbox', config, { log, onFatal: () => undefined });
    const held = await openHeldReadings(
      'held',
      {
        env: trusted,
        log,
        timekeeper,
        sources,
        forward: (device, readings) => outbox.append(device, readings, definitions),
        outbox: () => outbox.log,
        onFatal: () => undefined,
      },
      quotaBytes,
    );
    return {
      timekeeper,
      held,
      outbox,
      read: (value, timestampMs = timekeeper.clock.now()) => held.report('press', [{ metric: 'N', value, timestampMs, quality: 192 }]),
      stop: async () => {
        await held.close();
        await outbox.close();
        await timekeeper.close();
      },
    };
  };
  return clock.drive(open());
}

/** What the outbox holds: value, time, quality and whether it is history. */
export async function stored(outbox: Outbox): Promise<readonly (readonly [unknown, number, Reading['quality'], boolean])[]> {
  const records = await recordsFrom(outbox);
  return records.flatMap(({ metrics }) =>
    metrics.map(({ value, timestampMs, properties, isHistorical }) => {
      const code = properties?.Quality?.value;
      return [value, timestampMs ?? 0, code === 500 || code === 0 ? code : 192, isHistorical === true] as const;
    }),
  );
}
