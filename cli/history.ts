import type { Env } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import type { DuckdbConfig } from '@nhip/stores/duckdb/config';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { HistoryStore, SampleStore } from '@nhip/stores/history-store';
import { createInfluxdbStore } from '@nhip/stores/influxdb/influxdb-store';
import { createInfluxdb3Store } from '@nhip/stores/influxdb3/influxdb3-store';
import { createVictoriametricsStore } from '@nhip/stores/victoriametrics/victoriametrics-store';
import type { DataFolder } from './folders.ts';
import type { FurtherStoreConfig, ServerConfig } from './server-config.ts';

/** The store that the configuration names; opens nothing. `read` for a process beside the one that writes. */
export function createHistory(config: ServerConfig['store'], folder: DataFolder, access: 'read' | 'write' = 'write'): HistoryStore {
  if (config.type === 'influxdb') return createInfluxdbStore(config, { access });
  if (access === 'read') {
    throw new ConfigError('store', ['only one process can have a DuckDB file open: use `nhip server`, or a store of type influxdb']);
  }
  return createDuckdbStore(embeddedStore(config, folder));
}

/** A store beside the first one; opens nothing. What it must remember here goes into a folder of its own. */
export function createFurtherStore(config: FurtherStoreConfig, env: Env): SampleStore {
  const late = { clock: env.clock, place: { disk: env.disk, folder: `further-store-${config.name}` } };
  switch (config.type) {
    case 'duckdb': {
      const { name: _, ...settings } = config;
      return createDuckdbStore(settings);
    }
    case 'influxdb':
      return createInfluxdbStore(config);
    case 'influxdb3':
      return createInfluxdb3Store(config, late);
    default:
      return createVictoriametricsStore(config, late);
  }
}

/** The settings of the embedded store, file and all. Throws ConfigError for a store that is a server: it has backups of its own. */
export function embeddedStore(config: ServerConfig['store'], folder: DataFolder): DuckdbConfig {
  if (config.type === 'duckdb') return { ...config, file: config.file ?? folder.history };
  throw new ConfigError('store', ['InfluxDB is a server of its own: use `influxd backup` and `influxd restore`']);
}
