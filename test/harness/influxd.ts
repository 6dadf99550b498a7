import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { startProcess } from './nhip.ts';
import { until } from './until.ts';

const executable = '/usr/bin/influxd';

/** Whether Debian's influxd (1.6.7, `apt-get install influxdb`) is here; a test without it is skipped by name. */
export const hasInfluxd = existsSync(executable);

/** A real InfluxDB 1.x as a process of its own. Data stays in its folder: start it there again, on the same port. */
export interface Influxd {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then waits. */
  stop(): Promise<void>;
  /** SIGKILL, then waits. */
  kill(): Promise<void>;
}

/**
 * Starts influxd with its data in `dir` (made when missing), on `port` of 127.0.0.1 or any free one; resolves when it answers.
 * `settings` go into sections of its config, e.g. `{ http: 'auth-enabled = true' }`.
 */
export async function startInfluxd(dir: string, port?: number, settings: Readonly<Record<string, string>> = {}): Promise<Influxd> {
  mkdirSync(dir, { recursive: true });
  const httpPort = port ?? (await freePort());
  const config = join(dir, 'influxdb.conf');
  writeFileSync(config, configText(dir, httpPort, settings));
  const process = startProcess([executable, 'run', '-config', config]);
  let isEnded = false;
  void process.ended.then(() => {
    isEnded = true;
  });
  const url = `http://127.0.0.1:${httpPort}`;
  const isUp = async (): Promise<boolean> => (await fetch(`${url}/ping`, { signal: AbortSignal.timeout(1000) })).status === 204;
  try {
    await until('influxd answers', () => isEnded || isUp());
    if (isEnded) throw new Error('influxd ended at once');
  } catch (error) {
    await process.kill();
    throw new Error(`influxd did not start in ${dir}: ${process.stderr().slice(-1500)}`, { cause: error });
  }
  return {
    url,
    port: httpPort,
    pid: process.pid,
    signal: process.signal,
    stop: async () => void (await process.stop()),
    kill: process.kill,
  };
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

/** One InfluxQL query without any code of the product; rows as objects by column and tag, `time` in ms. */
export async function influxQuery(url: string, db: string, q: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const response = await fetch(`${url}/query`, { method: 'POST', body: new URLSearchParams({ db, q, epoch: 'ms' }) });
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
