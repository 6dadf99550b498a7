import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ChaosProxy } from './chaos-proxy.ts';
import { type Kept, keptInDuckdb } from './collect-evidence.ts';
import type { Equipment } from './equipment.ts';
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
export function createSingleServer(data: DataFolder, config: object, { historyFile, server: surroundings }: Equipment): ServerShape {
  const file = join(data.path, 'server.yaml');
  writeFileSync(file, stringify({ ...config, store: { type: 'duckdb', file: historyFile } }));
  const pinned: { http?: number; mqtt?: number } = {};
  const server = createRole('server', () => startServer(data, pinned, ['--demo', '--config', file], surroundings), {
    started({ http, mqtt }) {
      if (http !== undefined) pinned.http = http;
      if (mqtt !== undefined) pinned.mqtt = mqtt;
    },
  });
  return {
    roles: [server],
    mqttPort: () => pinned.mqtt ?? 0,
    httpPort: () => pinned.http ?? 0,
    store: undefined,
    async stop() {
      await server.stop();
      return keptInDuckdb(historyFile);
    },
    close: async () => {},
  };
}
