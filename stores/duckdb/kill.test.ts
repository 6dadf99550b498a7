import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDuckdbStore } from './duckdb-store.ts';
import { askDuckdb } from './testing/stock-duckdb.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-kill-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Kills the writer `afterMs` after its n-th compaction round. */
async function killedRun(rounds: number, afterMs: number): Promise<void> {
  const file = join(import.meta.dirname, 'testing/writing-child.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file, join(folder, 'history.duckdb')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.split('round').length > rounds) break;
  }
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
}

/** What stock DuckDB finds in the hot tables and in every Parquet file that lies there, registered or not. */
async function found(): Promise<readonly number[]> {
  const files = readdirSync(join(folder, 'history.cold/samples'));
  const cold = `SELECT coalesce(number, text::DOUBLE) FROM read_parquet('${join(folder, 'history.cold/samples')}/*.parquet')`;
  const all = `SELECT v FROM samples UNION ALL SELECT v::DOUBLE FROM texts ${files.length === 0 ? '' : `UNION ALL ${cold}`} ORDER BY 1`;
  return (await askDuckdb(all, join(folder, 'history.duckdb'))).map(([value]) => Number(value));
}

describe('a store that is killed while it compacts', () => {
  it('has every sample up to its checkpoint once, and no file that does not count', async () => {
    let before = 0;
    for (const [i, afterMs] of [0, 15, 40, 75, 120].entries()) {
      await killedRun(1 + (i % 3), afterMs);
      const store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1 });
      const nextIndex = (await store.open())?.nextIndex ?? 0;
      const { coldFiles, coldSamples } = store.upkeep.status();
      await store.close();
      expect(nextIndex).toBeGreaterThan(before);
      before = nextIndex;
      expect(coldSamples).toBeGreaterThan(0);
      expect(await found()).toEqual(Array.from({ length: nextIndex * 40 }, (_, value) => value));
      const onDisk = readdirSync(join(folder, 'history.cold'), { recursive: true }).filter((name) => String(name).includes('.'));
      expect(onDisk).toHaveLength(coldFiles);
    }
  }, 120_000);
});
