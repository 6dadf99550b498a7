import { openCredentials } from '@nhip/broker/auth/credentials';
import { createBroker } from '@nhip/broker/broker';
import type { LogBus } from '@nhip/core/log/log-bus';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import type { PipelineStats } from '@nhip/core/wire/live';
import { createIngest, type Ingest } from '@nhip/ingest/ingest';
import { createLive, type Live, type LiveStarted } from '@nhip/live/live';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { webDir } from './folders.ts';
import { openBrokerLog, openDeadLetters } from './log-bus.ts';
import type { ServerSetup } from './server-config.ts';

export interface Server {
  /** In the order in which they start: what acknowledges comes after what keeps, what shows comes last. */
  readonly parts: readonly Part[];
  /** Known when the parts have started. */
  readonly started: { mqttPort: number; live: LiveStarted };
}

/** Composes broker, ingest and live in one process over one log and one store. `folder.server` must exist. */
export async function composeServer(
  { config, folder, plant }: ServerSetup,
  deps: { readonly log: Log; readonly version: string; readonly adminPassword: string | undefined; onFatal(error: Error): void },
): Promise<Server> {
  const { log, onFatal } = deps;
  const env = createNodeEnv(folder.server);
  const logBus = await openBrokerLog(env, config.log, log, onFatal);
  const deadLetters = await openDeadLetters(env, config.ingest.deadLetterMaxBytes, log, onFatal);
  const store = createDuckdbStore({ ...config.store, file: config.store.file ?? folder.history });
  const credentials = openCredentials(folder.credentials, (err) => log.error({ err }, 'MQTT credentials stay as they were'));
  const broker = createBroker(config.broker, { clock: env.clock, log: log.child({ role: 'broker' }), logBus, credentials });
  const ingest = createIngest(config.ingest, {
    clock: env.clock,
    log: log.child({ role: 'ingest' }),
    logBus,
    store,
    deadLetters,
    sendNodeCommand: broker.sendNodeCommand,
    onFatal,
  });
  const started: Server['started'] = { mqttPort: 0, live: { port: 0, firstLogin: undefined } };
  let live: Live | undefined;

  const parts: readonly Part[] = [
    { name: 'log', start: async () => {}, stop: () => logBus.close() },
    { name: 'dead letters', start: async () => {}, stop: () => deadLetters.close() },
    { name: 'store', start: async () => void (await store.open()), stop: () => store.close() },
    { name: 'ingest', start: () => ingest.start(), stop: () => ingest.stop() },
    {
      name: 'broker',
      start: async () => {
        started.mqttPort = (await broker.start()).port;
      },
      stop: () => broker.stop(),
    },
    {
      name: 'live',
      start: async () => {
        live = createLive(config.live, {
          env,
          log: log.child({ role: 'live' }),
          store,
          checkpoint: () => ingest.checkpoint(),
          logBus,
          plant: plant ?? null,
          stats: () => pipelineStats(ingest, logBus),
          webDir,
          dataDir: folder.server,
          adminPassword: deps.adminPassword,
          version: deps.version,
        });
        started.live = await live.start();
      },
      stop: async () => live?.stop(),
    },
  ];
  return { parts, started };
}

function pipelineStats(ingest: Ingest, logBus: LogBus): PipelineStats {
  const { received, stored, repeated, deadLettered, lagMs } = ingest.stats();
  return { received, stored, repeated, deadLettered, evicted: logBus.stats().evictedRecords, lagMs };
}
