import type { LogRecord } from '@nhip/core/log/log-bus';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import type { SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { LossReport } from '@nhip/core/wire/loss';
import type { Value } from '@nhip/core/wire/sample';
import type { MetricDefinition, Reading } from '../../driver.ts';
import { type Outbox, type OutboxConfig, openOutbox } from '../outbox.ts';
import { type PlacedRecord, placeRecord } from '../place.ts';

/** Segments of 5 kB and a ledger whose detail does not always fit. */
export const smallConfig: OutboxConfig = { maxBytes: 20_000, commitDelayMs: 0, maxRecordBytes: 16_000, ledgerSlotBytes: 2000 };

export const definitions: ReadonlyMap<string, MetricDefinition> = new Map([
  ['N', { name: 'N', dataType: 'Double' }],
  ['I', { name: 'I', dataType: 'Int32' }],
  ['S', { name: 'S', dataType: 'String' }],
]);

/** 2025-01-01. */
export const startMs = 1_735_689_600_000;
let starts = 0;

/** One life of the agent on the disk. Each has its own randomness, as a real one has: a new stream gets a new id. */
export async function openSimOutbox(
  sim: SimDisk,
  config: Partial<OutboxConfig> = {},
  clock: SimClock = createSimClock(startMs),
): Promise<{ readonly outbox: Outbox; readonly clock: SimClock }> {
  const env = { clock, random: createSimRandom(++starts), disk: sim.boot() };
  const opening = openOutbox(env, 'outbox', { ...smallConfig, ...config }, { log: silentLog(), onFatal: () => undefined });
  return { outbox: await opening, clock };
}

export function readings(metric: string, ...values: readonly Value[]): readonly Reading[] {
  return values.map((value) => ({ metric, value, timestampMs: startMs, quality: 192 }));
}

/** Every record that can be read, from `index` on. */
export async function recordsFrom(outbox: Outbox, index = 0): Promise<readonly PlacedRecord[]> {
  const found: PlacedRecord[] = [];
  for (let next = index; ; ) {
    const records: readonly LogRecord[] = await outbox.log.read(next, { maxRecords: 100, maxBytes: 100_000, waitMs: 0 });
    if (records.length === 0) return found;
    for (const record of records) {
      next = record.index + 1;
      const place = placeRecord(record);
      if (place !== undefined) found.push(place);
    }
  }
}

/** Takes every report, as a server that acknowledges them would. */
export async function drainReports(outbox: Outbox, clock: SimClock): Promise<readonly LossReport[]> {
  const reports: LossReport[] = [];
  for (let quiet = 0; quiet < 2; ) {
    const report = await clock.drive(outbox.nextReport());
    if (report === undefined) {
      quiet++;
      await clock.advance(10_000);
    } else {
      quiet = 0;
      reports.push(report);
      outbox.acknowledgeReport(report.no);
    }
  }
  return reports;
}

export function samplesOf(reports: readonly LossReport[]): number {
  return reports.reduce((sum, { seqFrom, seqTo }) => sum + seqTo - seqFrom, 0);
}
