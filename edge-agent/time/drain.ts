import type { LogBus, LogRecord } from '@nhip/core/log/log-bus';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import { z } from 'zod';
import type { Reading } from '../driver.ts';
import { placedRecords } from '../outbox/place.ts';
import { type Correction, corrected, correction } from './correction.ts';
import { decodeHeld } from './held-record.ts';

/** Where the outbox's log ends, and what is in it. */
export type OutboxPlace = () => Pick<LogBus, 'id' | 'read' | 'stats'> | undefined;

/** What is written down before a batch is handed on. */
const note = z.strictObject({
  /** First record of the batch, and the one after it. */
  fromIndex: z.number().int(),
  toIndex: z.number().int(),
  correction,
  outboxId: z.string(),
  outboxIndex: z.number().int(),
});
type Note = z.infer<typeof note>;

interface DrainDeps {
  readonly env: Env;
  readonly log: Log;
  readonly outbox: OutboxPlace;
  forward(deviceId: string, readings: readonly Reading[]): Promise<void>;
  /** Whether the record has the current value of a metric. */
  isCurrent(deviceId: string, metric: string, index: number): boolean;
}

export interface Drain {
  /** Decides how times are corrected, and finishes a batch that an earlier life left half done. */
  begin(from: LogBus, how: Correction): Promise<void>;
  /** Hands on the next batch; false when there is none. */
  batch(from: LogBus): Promise<boolean>;
}

const noteName = 'batch.json';
const batchRecords = 512;
const batchBytes = 1_048_576;
/** The reader of the stage's log whose cursor says what was handed on. */
export const drainReader = 'drain';

export function createDrain(folder: string, deps: DrainDeps): Drain {
  const { env, log } = deps;
  let how: Correction | undefined;

  const readBatch = (from: LogBus, index: number, maxRecords: number): Promise<readonly LogRecord[]> =>
    from.read(index, { maxRecords, maxBytes: batchBytes, waitMs: 0 });

  async function loadNote(): Promise<Note | undefined> {
    const bytes = await readSmallFile(env.disk, folder, noteName);
    if (bytes === undefined) return undefined;
    try {
      return note.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch (error) {
      log.error({ folder, err: error }, 'The note about a batch of held readings cannot be read: some may be stored twice.');
      return undefined;
    }
  }

  /** How many readings of each device, metric and time the outbox has from `index` on. */
  async function alreadyThere({ outboxId, outboxIndex }: Note): Promise<Map<string, number>> {
    const there = new Map<string, number>();
    const box = deps.outbox();
    if (box === undefined || box.id !== outboxId) return there;
    const read = (index: number): Promise<readonly LogRecord[]> => box.read(index, { maxRecords: 64, maxBytes: 65_536, waitMs: 0 });
    for await (const { device, metrics } of placedRecords(read, outboxIndex, Number.POSITIVE_INFINITY)) {
      for (const { name, timestampMs } of metrics) {
        const key = keyOf(device, name ?? '', timestampMs ?? 0);
        there.set(key, (there.get(key) ?? 0) + 1);
      }
    }
    return there;
  }

  /** In the order of the log, except for what is there already. Resolves when the outbox has all of it. */
  async function handOn(records: readonly LogRecord[], by: Correction, there: Map<string, number>): Promise<void> {
    const under: Promise<void>[] = [];
    for (const { index, payload } of records) {
      const held = decodeHeld(payload);
      if (held === undefined) {
        log.error({ index }, 'A held record cannot be read and is lost.');
        continue;
      }
      const readings = held.readings
        .map((each) => corrected(held, each, by))
        .filter(({ metric, timestampMs }) => !takeOne(there, keyOf(held.device, metric, timestampMs)))
        .map((reading) => (deps.isCurrent(held.device, reading.metric, index) ? reading : { ...reading, isHistorical: true }));
      if (readings.length > 0) under.push(deps.forward(held.device, readings));
    }
    await Promise.all(under);
  }

  return {
    begin: async (from, now) => {
      const cursor = from.cursor(drainReader);
      const left = await loadNote();
      if (left !== undefined && left.fromIndex === cursor && left.toIndex > cursor) {
        const there = await alreadyThere(left);
        for (let next = cursor; next < left.toIndex; ) {
          const records = (await readBatch(from, next, left.toIndex - next)).filter(({ index }) => index < left.toIndex);
          await handOn(records, left.correction, there);
          next = (records.at(-1)?.index ?? left.toIndex) + 1;
        }
        await from.commit(drainReader, left.toIndex);
      }
      how = { ...now, earlier: await earlierBoots(from, now) };
    },

    batch: async (from) => {
      const fromIndex = from.cursor(drainReader);
      const records = await readBatch(from, fromIndex, batchRecords);
      const last = records.at(-1);
      if (last === undefined || how === undefined) return false;
      const box = deps.outbox();
      const written: Note = {
        fromIndex,
        toIndex: last.index + 1,
        correction: how,
        outboxId: box?.id ?? '',
        outboxIndex: box?.stats().nextIndex ?? 0,
      };
      await replaceSmallFile(env.disk, folder, noteName, new TextEncoder().encode(JSON.stringify(written)));
      await handOn(records, how, new Map());
      await from.commit(drainReader, written.toIndex);
      return true;
    },
  };

  /** The provisional times of boots that never knew the time: those before the first record of this boot. */
  async function earlierBoots(from: LogBus, { bootId, anchorMs }: Correction): Promise<Correction['earlier']> {
    let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let index = from.cursor(drainReader); ; ) {
      const records = await readBatch(from, index, batchRecords);
      const last = records.at(-1);
      if (last === undefined) break;
      index = last.index + 1;
      for (const held of records.map(({ payload }) => decodeHeld(payload))) {
        if (held === undefined || held.bootId === bootId) continue;
        for (const { reading, isProvisional } of held.readings) {
          if (!isProvisional) continue;
          fromMs = Math.min(fromMs, reading.timestampMs);
          toMs = Math.max(toMs, reading.timestampMs);
        }
      }
    }
    return anchorMs === null || fromMs > toMs ? null : { fromMs, toMs, untilMs: anchorMs };
  }
}

function keyOf(device: string, metric: string, timestampMs: number): string {
  return JSON.stringify([device, metric, Math.max(0, Math.floor(timestampMs))]);
}

function takeOne(there: Map<string, number>, key: string): boolean {
  const count = there.get(key) ?? 0;
  if (count === 0) return false;
  there.set(key, count - 1);
  return true;
}
