import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Process, startProcess } from './nhip.ts';

/** Settings of a store beside the address: none for a 1.x that asks for no login. */
export interface InfluxdAccess {
  readonly organisation?: string;
  readonly tokenFile?: string;
}

const organisation = 'works';
const token = 'operator-of-the-tests';

/** `Authorization` of the operator of every 2.x that the tests start. */
export const authorization2 = `Token ${token}`;

/** InfluxDB 2.x with everything in `dir`; `flags` as `{ 'storage-wal-fsync-delay': '100ms' }`. */
export function startInfluxd2(executable: string, dir: string, port: number, flags: Readonly<Record<string, string>>): Process {
  const paths = [
    ['bolt-path', 'influxd.bolt'],
    ['sqlite-path', 'influxd.sqlite'],
    ['engine-path', 'engine'],
  ].map(([flag, name]) => `--${flag}=${join(dir, name ?? '')}`);
  const own = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const line = [executable, 'run', `--http-bind-address=127.0.0.1:${port}`, '--reporting-disabled', '--log-level=error', ...paths, ...own];
  return startProcess(line, { INFLUXD_CONFIG_PATH: dir });
}

/** Makes organisation and operator, once: a server on the data of an earlier one has them. */
export async function onboard(url: string): Promise<void> {
  const setup = `${url}/api/v2/setup`;
  const { allowed } = (await (await fetch(setup)).json()) as { readonly allowed: boolean };
  if (!allowed) return;
  const body = JSON.stringify({ username: 'root', password: 'admin-of-the-tests', org: organisation, bucket: 'first', token });
  const { status } = await fetch(setup, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (status !== 201) throw new Error(`InfluxDB 2.x answered ${status} to its setup`);
}

export function accessOf2(dir: string): InfluxdAccess {
  mkdirSync(dir, { recursive: true });
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, `${token}\n`);
  return { organisation, tokenFile };
}
