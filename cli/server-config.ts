import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { brokerConfig } from '@nhip/broker/config';
import { loadConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import type { TlsFiles } from '@nhip/core/process/node-tls-files';
import { plantModel } from '@nhip/core/process/plant-config';
import type { PlantModel } from '@nhip/core/wire/plant';
import { ingestConfig } from '@nhip/ingest/config';
import { liveConfig } from '@nhip/live/config';
import { gatewayConfig } from '@nhip/sector/gateway/config';
import { duckdbConfig } from '@nhip/stores/duckdb/config';
import { influxdbConfig } from '@nhip/stores/influxdb/config';
import { influxdb3Config } from '@nhip/stores/influxdb3/config';
import { victoriametricsConfig } from '@nhip/stores/victoriametrics/config';
import { z } from 'zod';
import type { Input } from './arguments.ts';
import { type DataFolder, dataFolder } from './folders.ts';

const storeName = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, 'small letters, digits and -, at most 32')
  .describe('Its name in figures and logs, and of its folder; another name begins it anew');

const furtherStores = z
  .array(
    z.discriminatedUnion('type', [
      duckdbConfig.extend({ name: storeName }),
      influxdbConfig.extend({ name: storeName }),
      influxdb3Config.extend({ name: storeName }),
      victoriametricsConfig.extend({ name: storeName }),
    ]),
  )
  .max(4)
  .refine((stores) => new Set(stores.map(({ name }) => name)).size === stores.length, 'each needs a name of its own')
  .default([]);
export type FurtherStoreConfig = z.infer<typeof furtherStores>[number];

const writtenOnly = z.object({ type: z.enum(['influxdb3', 'victoriametrics']) });

/** For whoever names a store as the first one that is written only. */
function adviceFor(store: unknown): string | undefined {
  const type = writtenOnly.safeParse(store).data?.type;
  if (type === undefined) return undefined;
  return `${type} is written only, and the board asks the first store: put it under furtherStores, and leave store out (DuckDB) or name an influxdb`;
}

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
    .discriminatedUnion('type', [duckdbConfig.partial({ file: true }), influxdbConfig], { error: ({ input }) => adviceFor(input) })
    .prefault({ type: 'duckdb' })
    .describe('Where history is kept; default a DuckDB file in the data folder'),
  furtherStores: furtherStores.describe(
    'Stores beside the first one, for people who have them already. They are written and never asked, and never delay the first one: ' +
      'what one could not take while it was away it gets from the log, as far back as the log reaches',
  ),
  live: liveConfig.prefault({}).describe('Web board and API'),
  sharing: gatewayConfig
    .optional()
    .describe(
      'What may leave the factory: signed reports to a sector platform, as far as an approved sharing policy says. Absent: nothing leaves',
    ),
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
    broker: {
      ...config.broker,
      host: host ?? config.broker.host,
      port: input.port('mqtt-port') ?? config.broker.port,
      tls: besideTls(config.broker.tls, file),
    },
    live: {
      ...config.live,
      host: host ?? config.live.host,
      port: input.port('http-port') ?? config.live.port,
      tls: besideTls(config.live.tls, file),
      demo: config.live.demo || input.isSet('demo'),
      webhooks: config.live.webhooks.map((hook) =>
        file === undefined ? hook : { ...hook, secretFile: resolve(dirname(file), hook.secretFile) },
      ),
    },
    store: file === undefined ? config.store : besideFile(config.store, file),
    furtherStores: file === undefined ? config.furtherStores : config.furtherStores.map((store) => besideFile(store, file)),
  };
  requirePlaces(withFlags, file ?? '--config');
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

/** Two stores in one place would move each other's checkpoint, and what only one of them has kept is lost. Throws ConfigError. */
function requirePlaces({ store, furtherStores }: ServerConfig, source: string): void {
  const taken = new Map([[placeOf(store), 'store']]);
  const problems = furtherStores.flatMap((further, i) => {
    const other = taken.get(placeOf(further));
    taken.set(placeOf(further), `furtherStores.${i}`);
    return other === undefined ? [] : [`furtherStores.${i}: ${further.name} is in the same place as ${other}: each needs one of its own`];
  });
  if (problems.length > 0) throw new ConfigError(source, problems);
}

function placeOf(store: ServerConfig['store'] | FurtherStoreConfig): string {
  switch (store.type) {
    case 'duckdb':
      return store.file === undefined ? '' : resolve(store.file);
    case 'influxdb':
      return `${new URL(store.url).href} ${store.organisation ?? ''} ${store.database}`;
    case 'influxdb3':
      return `${new URL(store.url).href} ${store.database}`;
    default:
      return new URL(store.url).href;
  }
}

function besideTls<Tls extends TlsFiles | undefined>(tls: Tls, file: string | undefined): Tls {
  if (tls === undefined || file === undefined) return tls;
  return { ...tls, certFile: resolve(dirname(file), tls.certFile), keyFile: resolve(dirname(file), tls.keyFile) };
}

/** Relative names of secrets are relative to the configuration that names them, wherever the program is started. */
function besideFile<Store extends ServerConfig['store'] | FurtherStoreConfig>(store: Store, file: string): Store {
  if (store.type === 'duckdb') return store;
  const beside = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(dirname(file), path));
  return {
    ...store,
    caFile: beside(store.caFile),
    ...('passwordFile' in store ? { passwordFile: beside(store.passwordFile) } : {}),
    ...('tokenFile' in store ? { tokenFile: beside(store.tokenFile) } : {}),
  };
}
