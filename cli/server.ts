import { openCredentials } from '@nhip/broker/auth/credentials';
import { createBroker } from '@nhip/broker/broker';
import type { LogBus } from '@nhip/core/log/log-bus';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import type { Tracing } from '@nhip/core/process/tracing';
import type { PipelineStats } from '@nhip/core/wire/live';
import { createIngest, type Ingest } from '@nhip/ingest/ingest';
import { createLive, type Live, type LiveStarted } from '@nhip/live/live';
import { createBackups, removePartialBackups } from './backup/backups.ts';
import { sharingPlaces } from './backup/sharing-backup.ts';
import { createDeadLetters } from './dead-letters/replay-letters.ts';
import { webDir } from './folders.ts';
import { createFurtherStores } from './further-stores.ts';
import { createHistory, embeddedStore } from './history.ts';
import { localUrl } from './local-access.ts';
import { openBrokerLog, openDeadLetters } from './log-bus.ts';
import { brokerFamilies, logFamilies } from './metrics/broker-metrics.ts';
import { deadLetterFamilies, requestFamilies } from './metrics/ingest-metrics.ts';
import type { Ports } from './places.ts';
import { composeSharing } from './sector/sharing.ts';
import type { ServerSetup } from './server-config.ts';
import { createUpkeepPart } from './upkeep.ts';
import { whenThere } from './when-there.ts';

export interface Server {
  /** In the order in which they start: what acknowledges comes after what keeps, what shows comes last. */
  readonly parts: readonly Part[];
  /** Known when the parts have started. */
  readonly started: { mqtt: Ports; live: LiveStarted };
}

/** Composes broker, ingest and live in one process over one log and one store. `folder.server` must exist. */
export async function composeServer(
  setup: ServerSetup,
  deps: {
    readonly log: Log;
    readonly version: string;
    readonly adminPassword: string | undefined;
    readonly localToken: string;
    readonly tracing?: Tracing | undefined;
    onFatal(error: Error): void;
  },
): Promise<Server> {
  const { config, folder, plant, files } = setup;
  const { log, onFatal } = deps;
  const env = createNodeEnv(folder.server);
  const logBus = await openBrokerLog(env, config.log, log, onFatal);
  const deadLetters = await openDeadLetters(env, config.ingest.deadLetterMaxBytes, log, onFatal);
  const store = createHistory(config.store, folder);
  const waiting = new AbortController();
  const untilThere = { clock: env.clock, log, signal: waiting.signal };
  const backups = createBackups(folder.backups, {
    clock: env.clock,
    log: log.child({ role: 'backup' }),
    sources: () => {
      const { file: storeFile } = embeddedStore(config.store, folder);
      const copyPlantState = async (file: string) => (await live?.copyPlantState(file)) === true;
      return {
        store,
        storeFile,
        serverDir: folder.server,
        copyPlantState,
        configFiles: files,
        sharing: sharingPlaces(setup),
        logId: logBus.id,
        nhipVersion: deps.version,
      };
    },
  });
  const credentials = openCredentials(folder.credentials, (err) => log.error({ err }, 'MQTT credentials stay as they were'));
  const broker = createBroker(config.broker, {
    clock: env.clock,
    log: log.child({ role: 'broker' }),
    logBus,
    credentials,
    tracing: deps.tracing,
  });
  const ingest = createIngest(config.ingest, {
    clock: env.clock,
    log: log.child({ role: 'ingest' }),
    logBus,
    store,
    deadLetters,
    sendNodeCommand: broker.sendNodeCommand,
    tracing: deps.tracing,
    onFatal,
  });
  const further = createFurtherStores(config.furtherStores, {
    env,
    ingestConfig: config.ingest,
    log: log.child({ role: 'ingest' }),
    logSource: () => logBus,
    beginAt: () => ingest.checkpoint(),
    sendNodeCommand: broker.sendNodeCommand,
  });
  const started: Server['started'] = {
    mqtt: { port: 0, tlsPort: undefined },
    live: { port: 0, tlsPort: undefined, firstLogin: undefined },
  };
  let live: Live | undefined;
  const sharing = composeSharing(setup, {
    log: log.child({ role: 'sharing' }),
    version: deps.version,
    api: () => (started.live.port === 0 ? undefined : { url: localUrl(config.live.host, started.live.port), token: deps.localToken }),
  });

  const parts: Part[] = [
    { name: 'log', start: async () => {}, stop: () => logBus.close() },
    { name: 'dead letters', start: async () => {}, stop: () => deadLetters.close() },
    {
      name: 'store',
      start: async () => void (await whenThere(() => store.open(), untilThere)),
      stop: () => {
        waiting.abort();
        return store.close();
      },
    },
    { name: 'ingest', start: () => whenThere(() => ingest.start(), untilThere), stop: () => ingest.stop() },
    further,
    {
      name: 'broker',
      start: async () => {
        started.mqtt = await broker.start();
      },
      stop: () => broker.stop(),
    },
    // Given up before ingest stops, whose last write would wait for it.
    { name: 'backups', start: () => removePartialBackups(folder.backups), stop: () => backups.stop() },
    ...(sharing === undefined ? [] : [sharing.part]),
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
          stats: () => ({ ...pipelineStats(ingest, logBus), furtherStores: further.stats() }),
          sendNodeCommand: broker.sendNodeCommand,
          webDir,
          dataDir: folder.server,
          adminPassword: deps.adminPassword,
          version: deps.version,
          localToken: deps.localToken,
          backups,
          sharing: sharing?.desk,
          machineChanged: (change) => sharing?.machineChanged(change),
          moreMetrics: () => [
            ...brokerFamilies(broker.health()),
            ...logFamilies(logBus.stats()),
            ...requestFamilies(ingest.stats()),
            ...deadLetterFamilies(deadLetters.stats()),
          ],
          deadLetters: createDeadLetters({
            clock: env.clock,
            deadLetters,
            logBus,
            ingest: { storedBelow: () => ingest.checkpoint()?.nextIndex ?? 0, replayed: () => ingest.stats().replayed },
          }),
        });
        started.live = await live.start();
      },
      stop: async () => live?.stop(),
    },
  ];
  if (store.upkeep !== undefined && config.store.type === 'duckdb') {
    const { atUtc } = config.store.compaction;
    // Stopped before what it would hold up.
    parts.push(createUpkeepPart(store.upkeep, { clock: env.clock, log: log.child({ role: 'upkeep' }), atUtc }));
  }
  return { parts, started };
}

function pipelineStats(ingest: Ingest, logBus: LogBus): Omit<PipelineStats, 'furtherStores'> {
  const { received, stored, repeated, deadLettered, deadLetteredByReason, lost, lostByReason, lagMs, storeDownSinceMs, storeProblem } =
    ingest.stats();
  const log = logBus.stats();
  return {
    ...{ received, stored, repeated, deadLettered, deadLetteredByReason, lost, lostByReason, lagMs, storeDownSinceMs, storeProblem },
    evicted: log.evictedRecords,
    logBytes: log.bytes,
    logQuotaBytes: log.quotaBytes,
    logRecordsBehind: Math.max(0, log.nextIndex - (ingest.checkpoint()?.nextIndex ?? log.firstIndex)),
    logFullSinceMs: log.fullSinceMs,
  };
}
