import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@nhip/core/process/errors';

/** Root of the checkout or installation: one above `cli/` and above `dist/` alike. */
export const installRoot = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Where the built web app lies. */
export const webDir = join(installRoot, 'dashboards/web/dist');

/** What a data folder holds. Everything in it is private to the user that runs Nhịp. */
export interface DataFolder {
  readonly root: string;
  readonly server: string;
  readonly history: string;
  readonly credentials: string;
  /** Of `nhip ingest` and `nhip live`, when they run apart. */
  readonly ingest: string;
  readonly live: string;
  readonly edge: (edge: string) => string;
  readonly simulator: string;
  /** Where a running server writes its backups. */
  readonly backups: string;
}

export function dataFolder(dir: string | undefined): DataFolder {
  const root = resolve(dir ?? 'data');
  const server = join(root, 'server');
  return {
    root,
    server,
    history: join(server, 'history.duckdb'),
    credentials: join(server, 'mqtt-credentials.json'),
    ingest: join(root, 'ingest'),
    live: join(root, 'live'),
    edge: (edge) => join(root, 'edge', edge),
    simulator: join(root, 'simulator'),
    backups: join(root, 'backups'),
  };
}

/**
 * The folder whose `users.json` and `tokens.json` the API reads: of the role that `--of` names, or of the one that ran. Throws ConfigError when
 * that is not clear.
 */
export function apiFolder(role: string | undefined, folder: Pick<DataFolder, 'server' | 'live'>): string {
  if (role === 'server' || role === 'live') return folder[role];
  if (role !== undefined) throw new ConfigError('--of', [`"${role}" is neither server nor live`]);
  const hasRun = (dir: string): boolean => existsSync(join(dir, 'users.json'));
  if (!hasRun(folder.live)) return folder.server;
  if (!hasRun(folder.server)) return folder.live;
  throw new ConfigError('--of', [`both nhip server and nhip live ran on ${folder.server}/..: say --of server or --of live`]);
}

export function makePrivate(dir: string): void {
  if (!existsSync(dir)) mkdirSync(dir, { recursive: true, mode: 0o700 });
}
