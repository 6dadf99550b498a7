import { join } from 'node:path';
import { type DuckDBAppender, DuckDBInstance, timestampMillisValue } from '@duckdb/node-api';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { createLog, silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { ingestConfig } from '@nhip/ingest/config';
import { createIngest } from '@nhip/ingest/ingest';
import { createChunkWriter } from '@nhip/stores/duckdb/append';
import { duckdbConfig } from '@nhip/stores/duckdb/config';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { HistoryStore } from '@nhip/stores/history-store';
import { metricsPerMessage, openBenchLog } from './pipeline-log.ts';
import { residentMb } from './process-memory.ts';
import { finish, givenTask } from './run-apart.ts';

/** One measurement of the pipeline bench, in a process of its own. */
export interface PipelineTask {
  /** `pipeline`: log → decode → store. The bare appender with the same rows: `rows` value by value, `chunks` by columns. */
  readonly kind: 'pipeline' | 'rows' | 'chunks';
  /** Where the log is. */
  readonly logDir: string;
  /** An empty folder. */
  readonly dir: string;
  readonly samples: number;
  /** Bare appender: how many transactions. */
  readonly batches: number;
}

export interface PipelineMeasured {
  readonly seconds: number;
  readonly batches: number;
  readonly peakMb: number;
  /** Rows in the database afterwards, as stock DuckDB counts them. */
  readonly rows: number;
}

async function runPipeline({ logDir, dir, samples }: PipelineTask): Promise<Omit<PipelineMeasured, 'rows'>> {
  const logBus: LogBus = await openBenchLog(logDir);
  const env = createNodeEnv(dir);
  const deadLetters = await openSegmentLog(env, 'dead-letters', { maxBytes: 268_435_456, readers: [], log: silentLog() });
  const duckdb = createDuckdbStore(duckdbConfig.parse({ type: 'duckdb', file: join(dir, 'history.duckdb') }));
  let stored = 0;
  let report: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    report = resolve;
  });
  const store: HistoryStore = {
    ...duckdb,
    async write(write) {
      await duckdb.write(write);
      const { batch } = write;
      for (let i = 0; i < batch.length; i++) if (batch.kind[i] === 1) stored++;
      if (stored >= samples) report();
    },
  };
  const { clock } = env;
  const ingest = createIngest(ingestConfig.parse({}), {
    clock,
    log: createLog('bench', 'warn'),
    logBus,
    store,
    deadLetters,
    sendNodeCommand() {},
  });
  const started = performance.now();
  await ingest.start();
  await done;
  const seconds = (performance.now() - started) / 1000;
  await ingest.stop();
  const { batches, deadLettered, repeated } = ingest.stats();
  if (deadLettered + repeated > 0) throw new Error(`${deadLettered} dead letters, ${repeated} repeats: the log is not what it should be`);
  const peakMb = residentMb('self').peak;
  await duckdb.close();
  await deadLetters.close();
  await logBus.close();
  return { seconds, batches, peakMb };
}

type Append = (appender: DuckDBAppender, from: number, to: number) => void;

/** The bare appender: same table, same number of transactions, nothing to read or decode; the numbers are there before. */
async function runBare({ dir, samples, batches }: PipelineTask, append: Append): Promise<Omit<PipelineMeasured, 'rows'>> {
  const settings = { memory_limit: '512MB', threads: '2', checkpoint_threshold: '64MB' };
  const started = performance.now();
  const instance = await DuckDBInstance.create(join(dir, 'history.duckdb'), settings);
  const connection = await instance.connect();
  await connection.run(
    'CREATE TABLE samples (series INTEGER NOT NULL, t TIMESTAMP_MS NOT NULL, n INTEGER NOT NULL, v DOUBLE NOT NULL, k UTINYINT NOT NULL, q USMALLINT NOT NULL)',
  );
  const perBatch = Math.ceil(samples / batches);
  for (let from = 0; from < samples; from += perBatch) {
    await connection.run('BEGIN');
    const appender = await connection.createAppender('samples');
    append(appender, from, Math.min(samples, from + perBatch));
    appender.closeSync();
    await connection.run('COMMIT');
  }
  const seconds = (performance.now() - started) / 1000;
  const peakMb = residentMb('self').peak;
  connection.closeSync();
  instance.closeSync();
  return { seconds, batches, peakMb };
}

const startMs = 1_780_000_000_000;
const values = Float64Array.from({ length: 10_000 }, (_, i) => Math.sin(i) * 100);

/** As DuckDB's guide shows it: one call per value. */
const appendRows: Append = (appender, from, to) => {
  for (let i = from; i < to; i++) {
    const message = Math.floor(i / metricsPerMessage);
    appender.appendInteger((message % 10) * metricsPerMessage + (i % metricsPerMessage));
    appender.appendTimestampMilliseconds(timestampMillisValue(BigInt(startMs + message * 100 + (i % 10))));
    appender.appendInteger(i % 1_000_000);
    appender.appendDouble(values[i % values.length] ?? 0);
    appender.appendUTinyInt(1);
    appender.appendUSmallInt(192);
    appender.endRow();
  }
};

const appendChunks: Append = (appender, from, to) => {
  const writer = createChunkWriter(appender);
  for (let i = from; i < to; i++) {
    const message = Math.floor(i / metricsPerMessage);
    const series = (message % 10) * metricsPerMessage + (i % metricsPerMessage);
    writer.push(series, startMs + message * 100 + (i % 10), i % 1_000_000, values[i % values.length] ?? 0, 1, 192);
  }
  writer.flush();
};

async function countRows(dir: string): Promise<number> {
  const instance = await DuckDBInstance.create(join(dir, 'history.duckdb'), { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll('SELECT count(*) FROM samples');
  const rows = Number(reader.getRows()[0]?.[0]);
  connection.closeSync();
  instance.closeSync();
  return rows;
}

const task = givenTask<PipelineTask>();
const measured = await (task.kind === 'pipeline' ? runPipeline(task) : runBare(task, task.kind === 'rows' ? appendRows : appendChunks));
finish({ ...measured, rows: await countRows(task.dir) } satisfies PipelineMeasured);
