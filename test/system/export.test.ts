import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Process, runNhip } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, startServer } from '../harness/plant.ts';

let data: DataFolder;
let server: Process | undefined;
beforeEach(() => {
  data = makeDataFolder();
});
afterEach(async () => {
  await server?.kill();
  data.remove();
});

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runNhip([...args, '--data', data.path]);
  if (code !== 0) throw new Error(`nhip ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What stock DuckDB finds in the files. */
async function ask(sql: string): Promise<readonly unknown[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const [row = []] = (await connection.runAndReadAll(sql)).getRowsJson();
  connection.closeSync();
  instance.closeSync();
  return [...row];
}

it('nhip export writes the same file of a running server and of a stopped one', async () => {
  await run('simulate', '--write-history', '0.1');
  const from = ['--from', new Date(Date.now() - 86_400_000).toISOString(), '--to', new Date().toISOString()];
  const stopped = join(data.path, 'stopped.parquet');
  await run('export', ...from, '--out', stopped);
  expect(statSync(stopped).mode & 0o777).toBe(0o600);
  server = startServer(data);
  await server.ready;
  const served = join(data.path, 'served.parquet');
  expect(JSON.parse(await run('export', ...from, '--out', served, '--json'))).toEqual({ file: served, bytes: statSync(served).size });
  const content = (file: string) => ask(`SELECT count(*), sum(hash(machine, metric, time, number, text)) FROM '${file}'`);
  expect(await content(served)).toEqual(await content(stopped));
  expect(Number((await content(served))[0])).toBeGreaterThan(1000);

  const csv = join(data.path, 'power.csv');
  await run('export', ...from, '--metric', 'Power/Active', '--out', csv);
  const [header, first = ''] = readFileSync(csv, 'utf8').split('\n');
  expect(header).toBe('time,machine,metric,number,boolean,text,integer,quality');
  expect(first).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,hoalac\/[^,]+,Power\/Active,[\d.]+,,,,192$/);
  expect(await runNhip(['export', ...from, '--out', csv, '--data', data.path])).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('is there already'),
  });
  await server.stop();
  server = undefined;
});
