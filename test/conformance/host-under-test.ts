import { join } from 'node:path';
import { openCredentials } from '@nhip/broker/auth/credentials';
import { createBroker } from '@nhip/broker/broker';
import { brokerConfig } from '@nhip/broker/config';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { ingestConfig } from '@nhip/ingest/config';
import { createIngest } from '@nhip/ingest/ingest';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { LatestValue } from '@nhip/stores/history-store';

/** Our server as edges and hosts see it: broker, log, ingest and store, as `nhip server` puts them together. */
export interface HostUnderTest {
  readonly port: number;
  credential(name: string): { readonly username: string; readonly password: string };
  /** Waits until all that the broker took is stored; resolves with the newest value of each series. */
  stored(): Promise<readonly LatestValue[]>;
  /** All that is stored of a metric, oldest first. */
  values(machine: string, metric: string): Promise<readonly unknown[]>;
  stop(): Promise<void>;
}

/** `folder` keeps log and store from one start to the next. */
export async function startHost(folder: string): Promise<HostUnderTest> {
  const env = createNodeEnv(folder);
  const log = silentLog();
  const open = (name: string, readers: readonly string[]) =>
    openSegmentLog(env, name, { commitDelayMs: 0, maxBytes: 16_777_216, readers, log });
  const logBus = await open('log', ['ingest']);
  const deadLetters = await open('dead-letters', []);
  const store = createDuckdbStore({ type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 1 });
  const credentials = openCredentials(join(folder, 'credentials.json'));
  const broker = createBroker(brokerConfig.parse({ port: 0 }), { clock: env.clock, log, logBus, credentials });
  const ingest = createIngest(ingestConfig.parse({ commitIntervalMs: 0 }), {
    ...{ clock: env.clock, log, logBus, store, deadLetters },
    sendNodeCommand: broker.sendNodeCommand,
  });
  await ingest.start();
  const { port } = await broker.start();
  return {
    port,
    credential: (name) => credentials.add(name, 0),
    async stored() {
      const deadline = performance.now() + 10_000;
      while (ingest.checkpoint()?.nextIndex !== logBus.stats().nextIndex) {
        if (performance.now() > deadline) throw new Error('the server did not store everything in 10 s');
        await new Promise((resolve) => setImmediate(resolve));
      }
      return store.latest();
    },
    async values(machine, metric) {
      const { v } = await store.range({ machine, metric, fromMs: 0, toMs: Date.now() + 60_000, limit: 10_000 });
      return [...v];
    },
    async stop() {
      await broker.stop();
      await ingest.stop();
      await deadLetters.close();
      await logBus.close();
      await store.close();
    },
  };
}
