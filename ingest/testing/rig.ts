import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Clock } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { HistoryStore } from '@nhip/stores/history-store';
import { ingestConfig } from '../config.ts';
import { createIngest, type Ingest } from '../ingest.ts';
import type { SendNodeCommand } from '../rebirth.ts';
import { ingestReader } from '../work-writer.ts';

export interface Rig {
  readonly logBus: LogBus;
  readonly deadLetters: LogBus;
  readonly store: HistoryStore;
  readonly clock: Clock;
  /** A new ingest over the same log and store, running. */
  start(options?: StartOptions): Promise<Ingest>;
  /** Replaces the broker's log by a new, empty one; the old one is closed. */
  replaceLog(): Promise<void>;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly store?: HistoryStore;
  readonly deadLetters?: LogBus;
  readonly logBus?: LogBus;
  readonly config?: object;
  readonly sendNodeCommand?: SendNodeCommand;
  readonly clock?: Clock;
}

const limitMs = 10_000;

/** Real log, real dead letters, real DuckDB, in a folder of its own. `close` removes it. */
export async function createRig(): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-ingest-'));
  const env = createNodeEnv(folder);
  const openLog = (dir: string) =>
    openSegmentLog(env, dir, { commitDelayMs: 0, maxBytes: 67_108_864, readers: [ingestReader], log: silentLog() });
  let logs = 0;
  let logBus = await openLog('log-0');
  const deadLetters = await openSegmentLog(env, 'dead-letters', { commitDelayMs: 0, maxBytes: 67_108_864, readers: [], log: silentLog() });
  const store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1 });
  return {
    get logBus() {
      return logBus;
    },
    deadLetters,
    store,
    clock: env.clock,
    async start(options = {}) {
      const ingest = createIngest(ingestConfig.parse({ commitIntervalMs: 0, ...options.config }), {
        clock: options.clock ?? env.clock,
        log: silentLog(),
        logBus: options.logBus ?? logBus,
        store: options.store ?? store,
        deadLetters: options.deadLetters ?? deadLetters,
        sendNodeCommand: options.sendNodeCommand ?? (() => undefined),
      });
      await ingest.start();
      return ingest;
    },
    async replaceLog() {
      await logBus.close();
      logs++;
      logBus = await openLog(`log-${logs}`);
    },
    async close() {
      await logBus.close();
      await deadLetters.close();
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Waits until everything that is in the log is stored. */
export async function stored(ingest: Ingest, logBus: LogBus): Promise<void> {
  await until('everything is stored', () => ingest.checkpoint()?.nextIndex === logBus.stats().nextIndex);
}

export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms for: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
