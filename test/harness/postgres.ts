import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type Process, startProcess } from './nhip.ts';
import { until } from './until.ts';

const versionsDir = '/usr/lib/postgresql';

/** Where initdb and postgres are; Debian keeps each major version in a folder of its own. */
const binDir = existsSync(versionsDir)
  ? readdirSync(versionsDir)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(versionsDir, version, 'bin'))
      .find((dir) => existsSync(join(dir, 'postgres')) && existsSync(join(dir, 'initdb')))
  : undefined;

/** Whether a PostgreSQL server (`apt-get install postgresql`) is here; a test without it is skipped by name. */
export const hasPostgres = binDir !== undefined;

/** A real PostgreSQL as a process of its own. Data stays in its folder: start it there again. */
export interface Postgres {
  /** `postgres://nhip@127.0.0.1:<port>/postgres`; whoever reaches the port is let in. */
  readonly url: string;
  readonly pid: number;
  /** Fast shutdown, then waits. */
  stop(): Promise<void>;
  /** SIGKILL, then waits. */
  kill(): Promise<void>;
}

/**
 * Starts PostgreSQL with its data in `dir/postgres` (made when missing), on a free port of 127.0.0.1; resolves when it answers. It refuses
 * to run as root: then it runs as the user `postgres`, who must be able to reach `dir`. `settings`: `name=value` of postgresql.conf. With a
 * password only who knows it is let in.
 */
export async function startPostgres(
  dir: string,
  settings: readonly string[] = [],
  { port: wanted, password }: { readonly port?: number; readonly password?: string } = {},
): Promise<Postgres> {
  if (binDir === undefined) throw new Error('no PostgreSQL here: apt-get install postgresql');
  const data = join(dir, 'postgres');
  const wrapper = process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
  if (!existsSync(join(data, 'PG_VERSION'))) {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { recursive: true, mode: 0o700 });
    if (wrapper.length > 0) chownSync(data, idOf('-u'), idOf('-g'));
    const passwordFile = join(dir, 'postgres-password');
    if (password !== undefined) {
      writeFileSync(passwordFile, password, { mode: 0o600 });
      if (wrapper.length > 0) chownSync(passwordFile, idOf('-u'), idOf('-g'));
    }
    const access = password === undefined ? ['-A', 'trust'] : ['-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    const [file = '', ...args] = [
      ...wrapper,
      join(binDir, 'initdb'),
      '-D',
      data,
      '-U',
      'nhip',
      ...access,
      '-E',
      'UTF8',
      '--no-locale',
      '--no-sync',
    ];
    execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
  const port = wanted ?? (await freePort());
  const options = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'shared_buffers=64MB', ...settings];
  const server = startProcess([...wrapper, join(binDir, 'postgres'), '-D', data, ...options.flatMap((each) => ['-c', each])]);
  await untilReady(server, port);
  return {
    url: `postgres://nhip@127.0.0.1:${port}/postgres`,
    pid: server.pid,
    async stop() {
      // SIGINT is its fast shutdown; SIGTERM would wait for clients.
      server.signal('SIGINT');
      await server.ended;
    },
    kill: server.kill,
  };
}

async function untilReady(server: Process, port: number): Promise<void> {
  let isEnded = false;
  void server.ended.then(() => {
    isEnded = true;
  });
  const answers = (): boolean => {
    try {
      execFileSync(join(binDir ?? '', 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]);
      return true;
    } catch {
      return false;
    }
  };
  await until('PostgreSQL answers', () => isEnded || answers(), 30_000);
  if (isEnded) throw new Error(`PostgreSQL ended at once: ${server.stderr().slice(-1500)}`);
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
