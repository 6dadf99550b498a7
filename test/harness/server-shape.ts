import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ChaosProxy } from './chaos-proxy.ts';
import { type Kept, keptInDuckdb } from './collect-evidence.ts';
import type { Equipment } from './equipment.ts';
import { freePort } from './free-port.ts';
import type { HttpFaults } from './http-faults.ts';
import { type DataFolder, startServer } from './plant.ts';
import { createRole, type Role } from './role.ts';

/** The server side of a factory: one process, or its roles apart. */
export interface ServerShape {
  /** By name, in the order in which they are started. */
  readonly roles: readonly Role[];
  /** Known after the first start; the same ever after. */
  mqttPort(): number;
  httpPort(): number;
  /** What stands between ingest and a store that is a server; undefined when the store is a file. */
  readonly store: StoreLinks | undefined;
  /** Stops all roles and resolves with what the store holds. */
  stop(): Promise<Kept>;
  /** Closes what is no process. */
  close(): Promise<void>;
}

export interface StoreLinks {
  /** The TCP connection. */
  readonly link: ChaosProxy;
  /** The answers. */
  readonly answers: HttpFaults;
}

/** `nhip server`: broker, ingest and live in one process on the DuckDB file. `config` has keys of `server.yaml`. */
export async function createSingleServer(
  data: DataFolder,
  config: object,
  { historyFile, server: surroundings }: Equipment,
): Promise<ServerShape> {
  const file = join(data.path, 'server.yaml');
  writeFileSync(file, stringify({ ...config, store: { type: 'duckdb', file: historyFile } }));
  // The same over all starts, and nobody else's while the server is down.
  const ports = { http: await freePort(), mqtt: await freePort() };
  const server = createRole('server', () => startServer(data, ports, ['--demo', '--config', file], surroundings));
  return {
    roles: [server],
    mqttPort: () => ports.mqtt,
    httpPort: () => ports.http,
    store: undefined,
    async stop() {
      await server.stop();
      return keptInDuckdb(historyFile);
    },
    close: async () => {},
  };
}
