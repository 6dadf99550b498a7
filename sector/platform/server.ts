import { readFileSync } from 'node:fs';
import type { Server as HttpsServer } from 'node:https';
import { join } from 'node:path';
import type { Clock } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { boundHandshakes } from '@nhip/core/process/node-handshakes';
import { followTlsFiles, type TlsFollower } from '@nhip/core/process/node-tls-files';
import type { PlatformConfig } from './config.ts';
import { type EndProcess, openEmbedded } from './database/embedded.ts';
import { openPostgres } from './database/postgres.ts';
import type { Database } from './database.ts';
import { createPlatform, type Platform } from './platform.ts';
import { openPlatformFiles } from './platform-files.ts';
import { readServerTls } from './tls/server-tls.ts';

export interface SectorServerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Called when going on would break a promise, in the middle of it: logs and ends the process at once. */
  readonly endProcess: EndProcess;
}

export interface SectorServer extends Part {
  /** 0 until it listens. */
  port(): number;
  /** What a parent process waits for: one line of JSON. */
  readyLine(): string;
  platform(): Platform | undefined;
}

/** The sector server on a data folder: its secrets, its database, its API. */
export function createSectorServer(folder: string, config: PlatformConfig, deps: SectorServerDeps): SectorServer {
  let database: Database | undefined;
  let platform: Platform | undefined;
  let follower: TlsFollower | undefined;
  let port = 0;
  return {
    name: 'sector',
    async start() {
      const tls = readServerTls(config);
      const files = openPlatformFiles(folder, config.platformId);
      database = await openDatabase(folder, config, deps);
      platform = createPlatform(config, { ...deps, ...files, database, tls });
      port = await platform.start();
      // Typed for plain HTTP, which it is not when there are files.
      const server = platform.app.server as unknown as HttpsServer;
      if (config.tls === undefined) return;
      boundHandshakes(server);
      follower = followTlsFiles(config.tls, 'tls', server, deps);
    },
    async stop() {
      await follower?.stop();
      await platform?.stop();
      await database?.close();
    },
    port: () => port,
    readyLine: () => JSON.stringify({ ready: true, http: port }),
    platform: () => platform,
  };
}

async function openDatabase(folder: string, { database }: PlatformConfig, { endProcess }: SectorServerDeps): Promise<Database> {
  if (database.type === 'embedded') return openEmbedded(join(folder, 'database'), endProcess);
  const { url, urlFile, maxConnections } = database;
  if ((url === undefined) === (urlFile === undefined)) throw new ConfigError('database', ['say either url or urlFile']);
  return openPostgres({ url: url ?? readUrl(urlFile ?? ''), maxConnections });
}

function readUrl(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(file, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`]);
  }
}
