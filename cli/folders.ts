import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

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

export function makePrivate(dir: string): void {
  if (!existsSync(dir)) mkdirSync(dir, { recursive: true, mode: 0o700 });
}
