import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { accessOf2, authorization2, type InfluxdAccess, onboard, startInfluxd2 } from './influxd-2.ts';
import { type Process, startProcess } from './nhip.ts';
import { until } from './until.ts';

/** Another server can be put to the same tests: `NHIP_INFLUXD=/path/to/influxd`, of 1.x or 2.x. */
const executable = process.env.NHIP_INFLUXD ?? '/usr/bin/influxd';

/** Whether an influxd is here, Debian's (1.6.7, `apt-get install influxdb`) or that of `NHIP_INFLUXD`; a test without it is skipped by name. */
export const hasInfluxd = existsSync(executable);

/** 1 or 2. What only one of them has is tested with that one. */
export const influxdMajor = hasInfluxd ? majorOf(executable) : 1;

/** A real InfluxDB as a process of its own. Data stays in its folder: start it there again, on the same port. */
export interface Influxd {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** What the configuration of a store needs beside the address. */
  readonly access: InfluxdAccess;
  /** SIGTERM, then waits. */
  stop(): Promise<void>;
  /** SIGKILL, then waits. */
  kill(): Promise<void>;
}

/**
 * Starts influxd with its data in `dir` (made when missing), on `port` of 127.0.0.1 or any free one; resolves when it answers.
 * `settings` go into sections of the config of 1.x, e.g. `{ http: 'auth-enabled = true' }`; of 2.x they are flags.
 */
export async function startInfluxd(dir: string, port?: number, settings: Readonly<Record<string, string>> = {}): Promise<Influxd> {
  mkdirSync(dir, { recursive: true });
  const httpPort = port ?? (await freePort());
  const process = influxdMajor === 1 ? start1(dir, httpPort, settings) : startInfluxd2(executable, dir, httpPort, settings);
  let isEnded = false;
  void process.ended.then(() => {
    isEnded = true;
  });
  const url = `http://127.0.0.1:${httpPort}`;
  const isUp = async (): Promise<boolean> => (await fetch(`${url}/ping`, { signal: AbortSignal.timeout(1000) })).status === 204;
  try {
    await until('influxd answers', () => isEnded || isUp());
    if (isEnded) throw new Error('influxd ended at once');
    if (influxdMajor > 1) await onboard(url);
  } catch (error) {
    await process.kill();
    throw new Error(`influxd did not start in ${dir}: ${process.stderr().slice(-1500)}`, { cause: error });
  }
  return {
    url,
    port: httpPort,
    pid: process.pid,
    access: influxdMajor === 1 ? {} : accessOf2(dir),
    stop: async () => void (await process.stop()),
    kill: process.kill,
  };
}

function start1(dir: string, port: number, settings: Readonly<Record<string, string>>): Process {
  const config = join(dir, 'influxdb.conf');
  writeFileSync(config, configText(dir, port, settings));
  return startProcess([executable, 'run', '-config', config]);
}

function majorOf(file: string): number {
  const said = execFileSync(file, ['version'], { encoding: 'utf8' });
  return Number(/(\d+)\.\d+\.\d+/.exec(said)?.[1] ?? 1);
}

export function configText(dir: string, port: number, settings: Readonly<Record<string, string>>): string {
  const own: Readonly<Record<string, string>> = {
    meta: `dir = "${join(dir, 'meta')}"`,
    data: `dir = "${join(dir, 'data')}"\nwal-dir = "${join(dir, 'wal')}"\nquery-log-enabled = false`,
    http: `bind-address = "127.0.0.1:${port}"\nlog-enabled = false`,
    monitor: 'store-enabled = false',
    continuous_queries: 'enabled = false',
  };
  const sections = [...new Set([...Object.keys(own), ...Object.keys(settings)])];
  const body = sections.map((name) => `[${name}]\n${own[name] ?? ''}\n${settings[name] ?? ''}\n`).join('');
  // The port of its backup service: any free one.
  return `reporting-enabled = false\nbind-address = "127.0.0.1:0"\n${body}`;
}

/** Writes line protocol by the path that 1.x and 2.x share; `where` as its query says it, e.g. `db=nhip&rp=kept`. */
export async function influxWrite(url: string, where: string, lines: string): Promise<void> {
  const response = await fetch(`${url}/write?${where}`, { method: 'POST', headers: login(), body: lines });
  if (response.status !== 204) throw new Error(`influxd answered ${response.status} to ${lines.slice(0, 200)}: ${await response.text()}`);
}

function login(): Readonly<Record<string, string>> {
  return influxdMajor === 1 ? {} : { authorization: authorization2 };
}

/** One InfluxQL query without any code of the product; rows as objects by column and tag, `time` in ms. */
export async function influxQuery(url: string, db: string, q: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const response = await fetch(`${url}/query`, { method: 'POST', headers: login(), body: new URLSearchParams({ db, q, epoch: 'ms' }) });
  const answer = (await response.json()) as InfluxAnswer;
  const failed = answer.error ?? answer.results?.[0]?.error;
  if (failed !== undefined) throw new Error(`${q}: ${failed}`);
  return (answer.results?.[0]?.series ?? []).flatMap(({ tags, columns, values }) =>
    (values ?? []).map((row) => ({ ...tags, ...Object.fromEntries(columns.map((column, i) => [column, row[i]])) })),
  );
}

interface InfluxAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values?: readonly (readonly unknown[])[];
    }[];
  }[];
}
