import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBAppender, DuckDBInstance } from '@duckdb/node-api';
import type { Loss } from '@nhip/core/wire/loss';
import { afterEach, expect, it, vi } from 'vitest';
import { batchOf } from '../testing/batch-of.ts';
import { storeWrite } from '../testing/store-write.ts';
import { appendTo } from './append-to.ts';
import { createDuckdbStore } from './duckdb-store.ts';
import { askDuckdb } from './testing/stock-duckdb.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const tables = ['series', 'samples', 'texts', 'losses', 'checkpoint', 'decoder'] as const;
const atMs = Date.UTC(2026, 10, 20);
const loss: Loss = {
  ...{ atMs, edge: 'e', machine: 'g/e/d', metric: 'A', reason: 'outboxFull', detail: '', samples: 3 },
  ...{ stream: 's', seqFrom: 1, seqTo: 3, fromMs: atMs, toMs: atMs + 1 },
};

it.each(
  tables.map((table, i) => [table, i] as const),
)('a batch whose rows of %s could not be flushed is written once in the end', async (_, failing) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-append-'));
  const file = join(folder, 'history.duckdb');
  const store = createDuckdbStore({ type: 'duckdb', file, memoryLimitMb: 128, threads: 1 });
  await store.open();
  const state = Uint8Array.of(1);
  const batch = batchOf('g/e/d', [
    ['A', atMs, 1],
    ['B', atMs, 'running'],
  ]);
  const write = storeWrite(batch, { nextIndex: 1, decoder: state, repeats: state }, [loss]);
  const { closeSync } = DuckDBAppender.prototype;
  let closes = 0;
  const close = vi.spyOn(DuckDBAppender.prototype, 'closeSync').mockImplementation(function (this: DuckDBAppender) {
    if (closes++ === failing) throw new Error('Out of Memory Error');
    closeSync.call(this);
  });
  await expect(store.write(write)).rejects.toMatchObject({ code: 'store.writeFailed' });
  const left = close.mock.contexts[failing] as DuckDBAppender;
  await store.write(write);
  // As its finalizer does.
  left.flushSync();
  await store.close();
  const counts = await askDuckdb(tables.map((table) => `SELECT count(*)::INTEGER FROM ${table}`).join(' UNION ALL '), file);
  expect(counts.flat()).toEqual([2, 1, 1, 1, 1, 1]);
  rmSync(folder, { recursive: true });
});

it('keeps nothing of rows that could not be put together, whole or half', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run('CREATE TABLE pairs (a INTEGER, b INTEGER)');
  let left: DuckDBAppender | undefined;
  const filled = appendTo(connection, 'pairs', (appender) => {
    left = appender;
    for (const value of [1, 2]) appender.appendInteger(value);
    appender.endRow();
    appender.appendInteger(3);
    throw new Error('no such value');
  });
  await expect(filled).rejects.toThrow('no such value');
  left?.closeSync();
  expect((await connection.runAndReadAll('FROM pairs')).getRows()).toEqual([]);
  connection.closeSync();
  instance.closeSync();
});
