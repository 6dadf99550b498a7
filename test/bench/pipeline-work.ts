import { join } from 'node:path';
import { DuckDBInstance, timestampMillisValue } from '@duckdb/node-api';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { createLog, silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { ingestConfig } from '@nhip/ingest/config';
import { createIngest } from '@nhip/ingest/ingest';
import { duckdbConfig } from '@nhip/stores/duckdb/config';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { HistoryStore } from '@nhip/stores/history-store';
import { metricsPerMessage, openBenchLog } from './pipeline-log.ts';
import { residentMb } from './process-memory.ts';
import { finish, givenTask } from './run-apart.ts';

/** One measurement of the pipeline bench, in a process of its own. */
export interface PipelineTask {
  /** `pipeline`: log → decode → store. `rows`: the bare row appender with the same rows. */
  readonly kind: 'pipeline' | 'rows';
  /** Where the log is. */
  readonly logDir: string;
  /** An empty folder. */
  readonly dir: string;
  readonly samples: number;
  /** `rows`: how many transactions. */
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
    async write(batch, checkpoint) {
      await duckdb.write(batch, checkpoint);
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

/** The way DuckDB's own guide shows: a row appender, one call per value, same columns and rows per transaction. */
async function runRows({ dir, samples, batches }: PipelineTask): Promise<Omit<PipelineMeasured, 'rows'>> {
  const started = performance.now();
  const instance = await DuckDBInstance.create(join(dir, 'history.duckdb'), {
    memory_limit: '512MB',
    threads: '2',
    checkpoint_threshold: '64MB',
  });
  const connection = await instance.connect();
  await connection.run(
    'CREATE TABLE samples (series INTEGER NOT NULL, t TIMESTAMP_MS NOT NULL, n INTEGER NOT NULL, v DOUBLE NOT NULL, k UTINYINT NOT NULL, q USMALLINT NOT NULL)',
  );
  const startMs = 1_780_000_000_000;
  const perBatch = Math.ceil(samples / batches);
  for (let from = 0; from < samples; from += perBatch) {
    await connection.run('BEGIN');
    const appender = await connection.createAppender('samples');
    const to = Math.min(samples, from + perBatch);
    for (let i = from; i < to; i++) {
      const message = Math.floor(i / metricsPerMessage);
      appender.appendInteger((message % 10) * metricsPerMessage + (i % metricsPerMessage));
      appender.appendTimestampMilliseconds(timestampMillisValue(BigInt(startMs + message * 100 + (i % 10))));
      appender.appendInteger(i % 1_000_000);
      appender.appendDouble(Math.sin(i) * 100);
      appender.appendUTinyInt(1);
      appender.appendUSmallInt(192);
      appender.endRow();
    }
    appender.closeSync();
    await connection.run('COMMIT');
  }
  const seconds = (performance.now() - started) / 1000;
  const peakMb = residentMb('self').peak;
  connection.closeSync();
  instance.closeSync();
  return { seconds, batches, peakMb };
}

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
const measured = await (task.kind === 'pipeline' ? runPipeline(task) : runRows(task));
finish({ ...measured, rows: await countRows(task.dir) } satisfies PipelineMeasured);
