import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { createDuckdbStore, type DuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeBackup } from './place-backup.ts';
import { planRestore, putInPlace, stageBackup } from './restore-backup.ts';
import { writeBackup } from './write-backup.ts';

const day = 86_400_000;
const name = 'history.cold/samples/1970-01-01.parquet';

let root: string;
let store: DuckdbStore;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'nhip-cold-backup-'));
  mkdirSync(join(root, 'server'));
  store = open();
  await store.open();
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});

function open(): DuckdbStore {
  return createDuckdbStore({ type: 'duckdb', file: join(root, 'server/history.duckdb'), memoryLimitMb: 128, threads: 1 });
}

async function write(no: number): Promise<void> {
  const batch = new SampleBatch(new SeriesTable());
  batch.push(batch.series.id('g/e/d', 'A'), no, no, no, 192, false);
  const state = Uint8Array.of(1);
  const checkpoint = { nextIndex: no + 1, decoder: state, repeats: state };
  await store.write({ batch, losses: [], checkpoint, keepRefused: () => Promise.reject(new Error('refused')) });
}

const sharing = { dir: '/nowhere', files: [] };

async function backup(target: string): Promise<void> {
  const made = join(root, 'made');
  const sources = { store, storeFile: join(root, 'server/history.duckdb'), serverDir: join(root, 'server'), configFiles: [], sharing };
  await writeBackup(made, { ...sources, logId: 'log', nhipVersion: '1' }, { nowMs: 0, progress: () => {} });
  await placeBackup(made, target);
}

async function restore(from: string): Promise<void> {
  await store.close();
  const { folder, manifest } = await stageBackup(from, root);
  const target = { root, serverDir: join(root, 'server'), storeFile: join(root, 'server/history.duckdb'), sharing };
  await putInPlace(folder, manifest, target, planRestore(manifest, target, { accounts: false, sharing: false }, 'now'), undefined);
  store = open();
  await store.open();
}

const values = async () => (await store.range({ machine: 'g/e/d', metric: 'A', fromMs: 0, toMs: day, limit: 99 })).v;

describe('a backup of a store with closed days', () => {
  it('that cannot be put where it should go leaves nothing behind on the disk of the server', async () => {
    await write(1);
    await expect(backup(join(root, 'no-such-folder/backup.tar'))).rejects.toThrow('no-such-folder');
    expect(existsSync(join(root, 'made'))).toBe(false);
  });

  it.each(['backup', 'backup.tar'])('as %s has their files and brings them back, whatever was compacted since', async (kind) => {
    await write(1);
    await store.upkeep.run(2 * day);
    await write(2);
    const target = join(root, kind);
    await backup(target);
    if (kind === 'backup') expect(statSync(join(target, name)).ino).toBe(statSync(join(root, 'server', name)).ino);
    await write(3);
    await store.upkeep.run(2 * day);
    expect(existsSync(join(root, 'server', name))).toBe(false);
    await restore(target);
    expect(await values()).toEqual([1, 2]);
    expect(existsSync(join(root, 'server/history.cold.before-restore-now/samples/1970-01-01.v2.parquet'))).toBe(true);
    await store.upkeep.run(2 * day);
    expect(await values()).toEqual([1, 2]);
  });

  it('without any puts those that are there aside: they belong to another database', async () => {
    await write(1);
    const target = join(root, 'backup');
    await backup(target);
    await store.upkeep.run(2 * day);
    await restore(target);
    expect(await values()).toEqual([1]);
    expect(existsSync(join(root, 'server', name))).toBe(false);
    expect(existsSync(join(root, 'server/history.cold.before-restore-now/samples/1970-01-01.parquet'))).toBe(true);
  });

  it('is refused when a byte of a file is wrong', async () => {
    await write(1);
    await store.upkeep.run(2 * day);
    const target = join(root, 'backup');
    await backup(target);
    const bytes = readFileSync(join(target, name));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    rmSync(join(target, name));
    writeFileSync(join(target, name), bytes);
    await expect(stageBackup(target, root)).rejects.toThrow(`${name} is not what was written`);
  });
});
