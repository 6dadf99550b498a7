import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPlantState, plantStateFile } from './plant-state.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-plant-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const machine = 'hoalac/press/M01';
const entry = { machine, by: 'Lan', atMs: 5000 } as const;
const everything = { from: 0, to: 1e15 };

describe('the plant state', () => {
  it('keeps what people said over a restart, in order, and copies it', async () => {
    const state = await openPlantState(folder);
    const said = await state.corrections.append({ ...entry, kind: 'reclassify', fromMs: 1000, toMs: 2000, reason: 'other' }, everything);
    await state.corrections.append({ ...entry, kind: 'withdraw', replaces: said.id }, everything);
    await state.corrections.append({ ...entry, kind: 'split', splitMs: 9000 }, everything);
    const copy = join(folder, 'copy.duckdb');
    await state.copyTo(copy);
    await expect(openPlantState(folder)).rejects.toMatchObject({ code: 'plantState.cannotOpen' });
    await state.close();
    await state.close();
    expect(statSync(copy).size).toBeGreaterThan(0);

    const again = await openPlantState(folder);
    const found = await again.corrections.touching([machine, 'other'], { from: 1500, to: 1600 });
    expect(found.get(machine)).toEqual([said, { ...entry, kind: 'withdraw', replaces: said.id, id: 'c000000000002' }]);
    expect(await again.corrections.touching(['other'], everything)).toEqual(new Map());
    expect((await again.corrections.append({ ...entry, kind: 'split', splitMs: 10_000 }, everything)).id).toBe('c000000000004');
    await again.close();
  });

  it('keeps every answered correction when it is killed', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'testing/correcting-child.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let answered = 0;
    for await (const chunk of child.stdout) {
      answered = Number(String(chunk).trim().split('\n').at(-1));
      if (answered >= 20) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const state = await openPlantState(folder);
    const found = (await state.corrections.touching([machine], everything)).get(machine) ?? [];
    expect(found.length).toBeGreaterThanOrEqual(answered);
    expect(found.map(({ id }) => Number(id.slice(1)))).toEqual(found.map((_, i) => i + 1));
    await state.close();
  });

  it('refuses a file of a newer program', async () => {
    await (await openPlantState(folder)).close();
    const instance = await DuckDBInstance.create(join(folder, plantStateFile));
    const connection = await instance.connect();
    await connection.run('UPDATE meta SET version = 99');
    connection.closeSync();
    instance.closeSync();
    await expect(openPlantState(folder)).rejects.toMatchObject({ code: 'plantState.newer' });
  });
});
