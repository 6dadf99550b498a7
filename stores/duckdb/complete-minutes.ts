import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { PermanentError } from '@nhip/core/process/errors';
import {
  addWriting,
  type ColdFile,
  coldFileName,
  freeVersion,
  literal,
  makeLive,
  parquet,
  partialSuffix,
  publishFile,
} from './cold-catalog.ts';
import { parquetOptions, rollUpOf } from './cold-sql.ts';
import type { Cold, ColdStore } from './cold-store.ts';
import { stepMs } from './compactor.ts';
import { noteDense } from './dense.ts';
import type { Cutoff } from './retention.ts';

export interface Incomplete {
  readonly minutes: ColdFile;
  readonly samples: ColdFile;
}

/** Files of minutes that are kept longer than the samples that answer for the series which they do not have. */
export function incompleteMinutes({ folder, files }: Cold, cutoff: Cutoff): readonly Incomplete[] {
  return files.flatMap((samples) => {
    if (samples.kind !== 'samples' || samples.toMs > cutoff.samples) return [];
    // What somebody has removed can complete nothing; hours answer for it then.
    if (!existsSync(join(folder, samples.name))) return [];
    const minutes = files.find(({ kind, fromMs }) => kind === 'minutes' && fromMs === samples.fromMs);
    return minutes?.isSparse === true && minutes.toMs > cutoff.minutes ? [{ minutes, samples }] : [];
  });
}

/** Writes the minutes of every series, before retention takes their samples. Rejects with what failed; then nothing has changed. */
export async function completeMinutes(
  connection: DuckDBConnection,
  cold: ColdStore,
  { minutes, samples }: Incomplete,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { folder } = cold;
  const isWholeDay = !minutes.name.includes('T');
  const version = freeVersion(folder, minutes.version + 1, (no) => [coldFileName('minutes', minutes.fromMs, isWholeDay, no)]);
  const name = coldFileName('minutes', minutes.fromMs, isWholeDay, version);
  await addWriting(connection, { kind: 'minutes', name, fromMs: minutes.fromMs, toMs: minutes.toMs, version, isSparse: false });
  await connection.run('BEGIN');
  const stop = (): void => connection.interrupt();
  signal?.addEventListener('abort', stop);
  try {
    signal?.throwIfAborted();
    const partial = name + partialSuffix;
    const content = rollUpOf(parquet(folder, [samples.name]), stepMs.minutes);
    const { rowsChanged } = await connection.run(`COPY (${content}) TO ${literal(join(folder, partial))} (${parquetOptions.minutes})`);
    const counted = await connection.runAndReadAll(`SELECT coalesce(sum(count), 0)::DOUBLE FROM ${parquet(folder, [partial])}`);
    const count = Number(counted.getRows()[0]?.[0]);
    if (count !== samples.rows) {
      throw new PermanentError('store.compactionDiffers', `${name} counts ${count} samples instead of ${samples.rows}: they are kept`);
    }
    const bytes = await publishFile(folder, name);
    await noteDense(connection, minutes.fromMs, []);
    await connection.run(`UPDATE cold_files SET state = 'obsolete' WHERE name = ${literal(minutes.name)}`);
    await makeLive(connection, { name, rows: rowsChanged, bytes });
    await cold.switchTo(connection, () => connection.run('COMMIT'));
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
