import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { brokerConfig } from '@nhip/broker/config';
import { loadConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { plantModel } from '@nhip/core/process/plant-config';
import type { PlantModel } from '@nhip/core/wire/plant';
import { ingestConfig } from '@nhip/ingest/config';
import { liveConfig } from '@nhip/live/config';
import { duckdbConfig } from '@nhip/stores/duckdb/config';
import { influxdbConfig } from '@nhip/stores/influxdb/config';
import { z } from 'zod';
import type { Input } from './arguments.ts';
import { type DataFolder, dataFolder } from './folders.ts';

export const serverConfig = z.strictObject({
  dataDir: z.string().min(1).optional().describe('Data folder; the flag --data wins'),
  plantFile: z.string().min(1).optional().describe('Plant model (YAML): lines, names, shifts; without it lines come from births'),
  broker: brokerConfig.prefault({}).describe('MQTT broker'),
  log: z
    .strictObject({
      commitDelayMs: z
        .int()
        .min(0)
        .max(1000)
        .default(0)
        .describe('Messages of this time share one fsync; 0: what arrives while the last fsync runs shares the next'),
      maxBytes: z.int().min(16_777_216).default(2_147_483_648).describe('Disk quota of the log; the oldest records are given up beyond it'),
    })
    .prefault({})
    .describe('The durable log behind the broker'),
  ingest: ingestConfig.prefault({}).describe('From the log to the store'),
  store: z
    .discriminatedUnion('type', [duckdbConfig.partial({ file: true }), influxdbConfig])
    .prefault({ type: 'duckdb' })
    .describe('Where history is kept; default a DuckDB file in the data folder'),
  live: liveConfig.prefault({}).describe('Web board and API'),
});
export type ServerConfig = z.infer<typeof serverConfig>;

export interface ServerSetup {
  readonly config: ServerConfig;
  readonly folder: DataFolder;
  readonly plant: PlantModel | undefined;
  /** The files that all of this came from. */
  readonly files: readonly string[];
}

/** The server's settings: flags over the file over defaults. Throws ConfigError with all problems. */
export function serverSetup(input: Input, env: Readonly<Record<string, string | undefined>>): ServerSetup {
  const file = input.text('config');
  const config = file === undefined ? serverConfig.parse({}) : loadConfig(serverConfig, file, env);
  const host = input.text('host');
  const withFlags: ServerConfig = {
    ...config,
    broker: { ...config.broker, host: host ?? config.broker.host, port: input.port('mqtt-port') ?? config.broker.port },
    live: {
      ...config.live,
      host: host ?? config.live.host,
      port: input.port('http-port') ?? config.live.port,
      demo: config.live.demo || input.isSet('demo'),
    },
    store: file === undefined ? config.store : besideFile(config.store, file),
  };
  const plantFile = input.text('plant') ?? config.plantFile;
  if (plantFile !== undefined && !existsSync(plantFile))
    throw new ConfigError(file ?? '--plant', [`plantFile: ${plantFile} does not exist`]);
  return {
    config: withFlags,
    folder: dataFolder(input.text('data') ?? config.dataDir),
    plant: plantFile === undefined ? undefined : loadConfig(plantModel, plantFile, env),
    files: [file, plantFile].flatMap((each) => (each === undefined ? [] : [resolve(each)])),
  };
}

/** Relative names of secrets are relative to the configuration that names them, wherever the program is started. */
function besideFile(store: ServerConfig['store'], file: string): ServerConfig['store'] {
  if (store.type !== 'influxdb') return store;
  const beside = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(dirname(file), path));
  const { passwordFile, tokenFile, caFile } = store;
  return { ...store, passwordFile: beside(passwordFile), tokenFile: beside(tokenFile), caFile: beside(caFile) };
}
