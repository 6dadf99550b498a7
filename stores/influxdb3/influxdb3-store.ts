import type { Clock } from '@nhip/core/process/env';
import type { SampleStore, StoreAbility } from '../history-store.ts';
import { authorizationOf, readSecret } from '../influxdb/access.ts';
import { createHttpClient } from '../influxdb/http-client.ts';
import { createSampleEncoder } from '../influxdb/sample-lines.ts';
import { unfitSamples } from '../influxdb/writer.ts';
import type { CheckpointPlace } from '../late/late-checkpoints.ts';
import { createLateStore } from '../late/late-store.ts';
import type { Influxdb3Config } from './config.ts';
import { createInfluxdb3Server } from './influxdb3-server.ts';

/**
 * The server answers when the file with its log is in its object store. Where that is a folder, up to 3.10 nothing syncs the file (crate
 * object_store 0.12): Linux writes it out by itself within about 35 s, which is doubled nearly.
 */
export const durableAfterMs = 60_000;

export const influxdb3Cannot: Readonly<Partial<Record<StoreAbility, string>>> = {
  query: 'InfluxDB 3 Core answers for about the last 72 hours only (--query-file-limit), which no history can be made of',
  losses: 'they and their checkpoint must become durable together, which it does not promise: the first store has them',
};

/**
 * Samples in an InfluxDB 3 server, class D1, as the points that the InfluxDB store writes. Throws PermanentError when a secret's file
 * cannot be read.
 */
export function createInfluxdb3Store(
  config: Influxdb3Config,
  { clock, place }: { readonly clock: Clock; readonly place: CheckpointPlace },
): SampleStore {
  const { url, database, maxInFlight } = config;
  const http = createHttpClient({
    url,
    authorization: authorizationOf(config),
    ca: config.caFile === undefined ? undefined : readSecret(config.caFile, 'caFile'),
    maxSockets: maxInFlight + 1,
  });
  return createLateStore({
    name: 'influxdb3',
    target: `${url} ${database}`,
    cannot: influxdb3Cannot,
    durableAfterMs,
    maxInFlight,
    server: createInfluxdb3Server(http, config),
    encoder: createSampleEncoder(),
    clock,
    place,
    unfit: unfitSamples,
    leftOut: () => 0,
    disconnect: () => http.close(),
  });
}
