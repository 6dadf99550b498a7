import { PermanentError } from '@nhip/core/process/errors';
import type { HistoryStore } from '../history-store.ts';
import { authorizationOf, readSecret } from './access.ts';
import { readCheckpoint } from './checkpoints.ts';
import type { InfluxdbConfig } from './config.ts';
import { createHttpClient } from './http-client.ts';
import { createInfluxServer, type InfluxServer } from './influx-server.ts';
import { queryDelivery, queryLosses, queryLossTotals } from './loss-queries.ts';
import { queryBuckets, queryChanges, queryLatest, queryRange, toColumns } from './queries.ts';
import { checkSchema, prepareSchema } from './schema.ts';
import { createSeriesRegistry } from './series-registry.ts';
import { createWholeSegments, type WholeSegments } from './whole-segments.ts';
import { createWriter } from './writer.ts';

/** How soon a reader knows the series that another process added. */
const refreshMs = 2000;

/**
 * History in an InfluxDB server, class D2. `access: 'read'` is for another process than the one that writes: it changes nothing and
 * follows what the writer adds. Throws PermanentError when a secret's file cannot be read.
 */
export function createInfluxdbStore(
  config: InfluxdbConfig,
  { access = 'write' }: { readonly access?: 'read' | 'write' } = {},
): HistoryStore {
  const { url, database, maxInFlight } = config;
  const ca = config.caFile === undefined ? undefined : readSecret(config.caFile, 'caFile');
  const token = config.tokenFile === undefined ? undefined : readSecret(config.tokenFile, 'tokenFile');
  const http = createHttpClient({
    url,
    authorization: authorizationOf(config),
    ca,
    // Queries never wait for writes.
    maxSockets: maxInFlight + 8,
    onDisconnect: () => segments.disconnected(),
  });
  const { organisation, requestTimeoutMs, retentionDays } = config;
  const bare = createInfluxServer(http, { url, database, organisation, requestTimeoutMs });
  const segments: WholeSegments = createWholeSegments(bare, { database, retentionDays });
  const server: InfluxServer = {
    ...bare,
    async write(place, body) {
      try {
        return await bare.write(place, body);
      } catch (error) {
        segments.doubt();
        throw error;
      }
    },
  };
  const registry = createSeriesRegistry();
  const writer = createWriter(server, registry, segments, maxInFlight);
  const schema = { url, database, retentionDays, organisation, token, ca, requestTimeoutMs };
  let isOpen = false;
  let writing: Promise<void> = Promise.resolve();
  let refresh: NodeJS.Timeout | undefined;

  function demandOpen(): void {
    if (!isOpen) throw new PermanentError('store.closed', `The store ${url} is not open`);
  }

  return {
    name: 'influxdb',
    durability: { class: 'D2', delayMs: 0 },

    async open() {
      if (!isOpen) await (access === 'write' ? prepareSchema(server, schema, segments) : checkSchema(server, schema));
      const found = await readCheckpoint(server);
      if (isOpen) return found?.checkpoint;
      await registry.load(server);
      writer.begin(found);
      isOpen = true;
      // A reader that cannot reach the server shows what it knows; queries say what is wrong.
      if (access === 'read') refresh = setInterval(() => void registry.load(server).catch(() => undefined), refreshMs).unref();
      return found?.checkpoint;
    },

    ahead(batch) {
      if (isOpen && access === 'write') writer.ahead(batch);
    },

    async write(write) {
      demandOpen();
      if (access === 'read') throw new PermanentError('store.readOnly', `The store ${url} was opened for reading`);
      writing = writer.write(write);
      return writing;
    },

    losses: (query) => queryLosses(server, query),
    delivery: (machine, fromMs, toMs) => queryDelivery(server, machine, fromMs, toMs),
    lossTotals: () => queryLossTotals(server),
    series: () => registry.all(),

    async latest() {
      if (access === 'read') await registry.load(server);
      const found = await queryLatest(server);
      return found.flatMap(({ machine, metric, samples: [sample] }) => {
        const info = registry.find(machine, metric);
        return info === undefined || sample === undefined ? [] : [{ ...info, ...sample }];
      });
    },

    range: async (query) => toColumns(await queryRange(server, query)),

    async lastBefore(machine, metric, atMs) {
      const [sample] = await queryRange(server, { machine, metric, fromMs: 0, toMs: atMs, limit: 1 }, 'newest');
      return sample === undefined ? undefined : { t: sample.t, v: sample.v };
    },

    changes: (series, fromMs, toMs, limit) => queryChanges(server, series, { fromMs, toMs, limit }),
    buckets: (query) => queryBuckets(server, query),

    async close() {
      isOpen = false;
      clearInterval(refresh);
      await writing.catch(() => undefined);
      await writer.settled();
      http.close();
    },
  };
}
