import type { LogRecord } from '@nhip/core/log/log-bus';
import { streamText } from '@nhip/core/wire/outbox-identity';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { WireError } from '@nhip/core/wire/wire-error';
import { decodeOutboxRecord } from './record.ts';

/** What a record of the outbox says about its numbers. */
export interface PlacedRecord {
  readonly index: number;
  /** 32 hex digits. */
  readonly stream: string;
  /** Numbers [seq, end). */
  readonly seq: number;
  readonly end: number;
  readonly device: string;
  readonly metrics: readonly Metric[];
  /** Source times, the lowest and the highest. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** The next records at or after an index; [] when there is none. */
export type ReadRecords = (index: number) => Promise<readonly LogRecord[]>;

/** Undefined for a record that cannot be read: it is as good as gone. */
export function placeRecord({ index, payload }: LogRecord): PlacedRecord | undefined {
  try {
    const { stream, seq, device, metrics } = decodeOutboxRecord(payload);
    const times = metrics.map(({ timestampMs }) => timestampMs ?? 0);
    const [fromMs, toMs] = [times.reduce((a, b) => Math.min(a, b), times[0] ?? 0), times.reduce((a, b) => Math.max(a, b), 0)];
    return { index, stream: streamText(stream), seq, end: seq + metrics.length, device, metrics, fromMs, toMs };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The records of [from, to) that can be read, then the first one at or after `to`, if any. */
export async function* placedRecords(read: ReadRecords, from: number, to: number): AsyncGenerator<PlacedRecord> {
  for (let next = from; ; ) {
    const records = await read(next);
    for (const record of records) {
      next = record.index + 1;
      const place = placeRecord(record);
      if (place === undefined) continue;
      yield place;
      if (place.index >= to) return;
    }
    if (records.length === 0) return;
  }
}

/** The first record at or after `index` that can be read. */
export async function nextReadable(read: ReadRecords, index: number): Promise<PlacedRecord | undefined> {
  for await (const place of placedRecords(read, index, index)) return place;
  return undefined;
}

/** The last record before `index` that can be read. */
export async function lastBefore(read: ReadRecords, index: number): Promise<PlacedRecord | undefined> {
  const [first] = await read(0);
  if (first === undefined) return undefined;
  for (let step = 1; ; step *= 2) {
    const from = Math.max(first.index, index - step);
    let found: PlacedRecord | undefined;
    for await (const place of placedRecords(read, from, index)) if (place.index < index) found = place;
    if (found !== undefined || from === first.index) return found;
  }
}
