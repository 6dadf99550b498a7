import { type DuckDBConnection, timestampMillisValue } from '@duckdb/node-api';
import { type SampleBatch, valueKind } from '@nhip/core/telemetry/sample-batch';
import type { Checkpoint, RefusedSample, SeriesInfo, StoreWrite } from '../history-store.ts';
import { createChunkWriter } from './append.ts';
import { appendTo } from './append-to.ts';
import { appendLosses } from './losses.ts';

/** Series ids of the store, numbered in the order in which they were first written. */
export interface SeriesIndex {
  readonly all: SeriesInfo[];
  readonly ids: Map<string, number>;
}

export function seriesKey(machine: string, metric: string): string {
  return `${machine}\n${metric}`;
}

/** Times beyond are no time in any calendar (ECMA-262, time values), and DuckDB stores them but cannot read them back. */
const latestTimeMs = 8.64e15;

/**
 * Samples that DuckDB can never hold. Tried by hand: of all values that a batch can carry (lone surrogates, NUL, 20 MB of text,
 * infinities, 64-bit limits) it takes each; only a time outside the calendar is wrong.
 */
function findRefused({ timeMs, length }: SampleBatch): readonly RefusedSample[] {
  const refused: RefusedSample[] = [];
  for (let row = 0; row < length; row++) {
    const time = timeMs[row] as number;
    if (!(time >= -latestTimeMs && time <= latestTimeMs)) refused.push({ row, reason: `the time ${time} ms is in no calendar` });
  }
  return refused;
}

/**
 * Writes samples, losses and checkpoint in one transaction (class D3). Throws what DuckDB threw, after a roll-back;
 * series ids that the failed transaction made are taken back.
 */
export async function writeAll(connection: DuckDBConnection, index: SeriesIndex, write: StoreWrite, writeDecoder: boolean): Promise<void> {
  const { batch, checkpoint } = write;
  const refused = findRefused(batch);
  const refusedLosses = refused.length === 0 ? [] : await write.keepRefused(refused);
  const skipped = new Set(refused.map(({ row }) => row));
  const known = index.all.length;
  await connection.run('BEGIN');
  try {
    const ids = await resolveSeries(connection, index, batch, skipped);
    await appendSamples(connection, batch, ids, skipped);
    await appendLosses(connection, [...write.losses, ...refusedLosses]);
    await writeCheckpoint(connection, checkpoint, writeDecoder);
    await connection.run('COMMIT');
  } catch (error) {
    for (const series of index.all.splice(known)) index.ids.delete(seriesKey(series.machine, series.metric));
    // A commit that failed for lack of space has already ended the transaction; then ROLLBACK itself fails.
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Store ids by the batch's own series ids; unknown series are added. */
async function resolveSeries(
  connection: DuckDBConnection,
  index: SeriesIndex,
  batch: SampleBatch,
  skipped: ReadonlySet<number>,
): Promise<Int32Array> {
  const ids = new Int32Array(batch.series.size).fill(-1);
  const added: SeriesInfo[] = [];
  for (let i = 0; i < batch.length; i++) {
    const local = batch.seriesId[i] as number;
    if (ids[local] !== -1 || skipped.has(i)) continue;
    const { machine, metric } = batch.series.at(local);
    const key = seriesKey(machine, metric);
    let id = index.ids.get(key);
    if (id === undefined) {
      id = index.all.length;
      index.ids.set(key, id);
      const info = { id, machine, metric };
      index.all.push(info);
      added.push(info);
    }
    ids[local] = id;
  }
  if (added.length > 0) {
    await appendTo(connection, 'series', (appender) => {
      for (const { id, machine, metric } of added) {
        appender.appendInteger(id);
        appender.appendVarchar(machine);
        appender.appendVarchar(metric);
        appender.endRow();
      }
    });
  }
  return ids;
}

async function appendSamples(
  connection: DuckDBConnection,
  batch: SampleBatch,
  ids: Int32Array,
  skipped: ReadonlySet<number>,
): Promise<void> {
  const texts: number[] = [];
  await appendTo(connection, 'samples', (appender) => {
    const writer = createChunkWriter(appender);
    for (let i = 0; i < batch.length; i++) {
      if (skipped.size > 0 && skipped.has(i)) continue;
      const kind = batch.kind[i] as number;
      if (kind !== valueKind.number && kind !== valueKind.boolean) {
        texts.push(i);
        continue;
      }
      writer.push(
        ids[batch.seriesId[i] as number] as number,
        batch.timeMs[i] as number,
        batch.tick[i] as number,
        batch.number[i] as number,
        kind,
        batch.quality[i] as number,
      );
    }
    writer.flush();
  });
  if (texts.length === 0) return;
  await appendTo(connection, 'texts', (appender) => {
    for (const i of texts) {
      appender.appendInteger(ids[batch.seriesId[i] as number] as number);
      appender.appendTimestampMilliseconds(timestampMillisValue(BigInt(Math.floor(batch.timeMs[i] as number))));
      appender.appendInteger(batch.tick[i] as number);
      if (batch.kind[i] === valueKind.none) appender.appendNull();
      else appender.appendVarchar(batch.text[batch.number[i] as number] as string);
      appender.appendUTinyInt(batch.kind[i] as number);
      appender.appendUSmallInt(batch.quality[i] as number);
      appender.endRow();
    }
  });
}

async function writeCheckpoint(connection: DuckDBConnection, checkpoint: Checkpoint, writeDecoder: boolean): Promise<void> {
  await connection.run('DELETE FROM checkpoint');
  await appendTo(connection, 'checkpoint', (appender) => {
    appender.appendBigInt(BigInt(checkpoint.nextIndex));
    appender.appendBlob(checkpoint.repeats);
    appender.endRow();
  });
  if (!writeDecoder) return;
  await connection.run('DELETE FROM decoder');
  await appendTo(connection, 'decoder', (appender) => {
    appender.appendBlob(checkpoint.decoder);
    appender.endRow();
  });
}
