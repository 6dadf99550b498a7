import { type LogReader, openLogReader } from '@nhip/core/log/log-reader';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import type { PipelineStats } from '@nhip/core/wire/live';
import { createLive, type Live, type LiveStarted } from '@nhip/live/live';
import { openCommandLog } from './command-log.ts';
import { webDir } from './folders.ts';
import { createHistory } from './history.ts';
import { createLocalToken, localUrl } from './local-access.ts';
import { type BrokerStatus, brokerStatus, followStatus, goneAfterMs, type IngestStatus, ingestStatus } from './role-status.ts';
import { composeSharing } from './sector/sharing.ts';
import type { ServerSetup } from './server-config.ts';
import { whenThere } from './when-there.ts';

export interface LiveRole {
  readonly parts: readonly Part[];
  /** Known when the parts have started. */
  readonly started: LiveStarted;
}

/**
 * Live as a process of its own: the broker's log by its files, without a cursor, and a store that another process writes. Opens nothing
 * yet. Throws ConfigError for a store that only one process can open.
 */
export function composeLive(
  setup: ServerSetup,
  deps: { readonly log: Log; readonly version: string; readonly adminPassword: string | undefined; onFatal(error: Error): void },
): LiveRole {
  const { config, folder, plant } = setup;
  const { log, onFatal } = deps;
  const env = createNodeEnv(folder.server);
  const { clock } = env;
  const store = createHistory(config.store, folder, 'read');
  const started: LiveStarted = { port: 0, tlsPort: undefined, firstLogin: undefined };
  const ingest = followStatus(folder.ingest, ingestStatus, clock);
  const broker = followStatus(folder.server, brokerStatus, clock);
  const waiting = new AbortController();
  const untilThere = { clock, log, signal: waiting.signal };
  let reader: LogReader | undefined;
  let commands: Awaited<ReturnType<typeof openCommandLog>> | undefined;
  let live: Live | undefined;
  const localToken = createLocalToken();
  const sharing = composeSharing(setup, {
    log: log.child({ role: 'sharing' }),
    version: deps.version,
    api: () => (started.port === 0 ? undefined : { url: localUrl(config.live.host, started.port), token: localToken }),
  });

  /** Anew for every try: a start that failed has closed everything. */
  async function startLive(logBus: LogReader): Promise<LiveStarted> {
    const checkpoint = await store.open();
    live = createLive(config.live, {
      env,
      log,
      store,
      checkpoint: () => checkpoint,
      logBus,
      plant: plant ?? null,
      sendNodeCommand: (group, edge, payload) => commands?.send(group, edge, payload),
      stats: () =>
        pipelineStats(ingest.last(), broker.last(), { log: logBus.stats(), quotaBytes: config.log.maxBytes, nowMs: clock.now() }),
      webDir,
      dataDir: folder.live,
      adminPassword: deps.adminPassword,
      version: deps.version,
      localToken,
      sharing: sharing?.desk,
      machineChanged: (change) => sharing?.machineChanged(change),
    });
    return live.start();
  }

  const parts: readonly Part[] = [
    ingest,
    broker,
    {
      name: 'log',
      start: async () => {
        reader = await whenThere(() => openLogReader(env, 'log', { log, onFatal }), untilThere);
        commands = await openCommandLog(createNodeEnv(folder.live), log, onFatal);
      },
      stop: async () => {
        waiting.abort();
        await commands?.close();
        await reader?.close();
      },
    },
    ...(sharing === undefined ? [] : [sharing.part]),
    {
      name: 'live',
      start: async () => {
        const logBus = reader;
        if (logBus === undefined) return;
        Object.assign(started, await whenThere(() => startLive(logBus), untilThere));
      },
      stop: async () => {
        waiting.abort();
        await live?.stop();
        await store.close();
      },
    },
  ];
  return { parts, started };
}

/** The data path as seen from here: what ingest and broker last said, and how much of the log is not stored. */
export function pipelineStats(
  ingest: IngestStatus | undefined,
  broker: BrokerStatus | undefined,
  here: { readonly log: ReturnType<LogReader['stats']>; readonly quotaBytes: number; readonly nowMs: number },
): PipelineStats {
  const { log, quotaBytes, nowMs } = here;
  const storedTo = ingest?.nextIndex ?? log.firstIndex;
  const behind = Math.max(0, log.nextIndex - storedTo);
  const silentMs = ingest === undefined ? 0 : nowMs - ingest.atMs;
  const isGone = silentMs > goneAfterMs;
  return {
    received: ingest?.received ?? 0,
    stored: ingest?.stored ?? 0,
    repeated: ingest?.repeated ?? 0,
    deadLettered: ingest?.deadLettered ?? 0,
    deadLetteredByReason: ingest?.deadLetteredByReason ?? {},
    lost: ingest?.lost ?? 0,
    lostByReason: ingest?.lostByReason ?? {},
    evicted: broker?.evicted ?? 0,
    // What came since ingest spoke last is at least partly unstored.
    lagMs: (ingest?.lagMs ?? 0) + (isGone && behind > 0 ? silentMs : 0),
    logBytes: log.bytes,
    logQuotaBytes: quotaBytes,
    logRecordsBehind: behind,
    // An ingest that is gone stores as little as a store that is down.
    storeProblem: ingest?.storeProblem ?? null,
    furtherStores: ingest?.furtherStores ?? [],
    storeDownSinceMs: ingest?.storeDownSinceMs ?? (isGone ? (ingest?.atMs ?? null) : null),
    logFullSinceMs: broker?.logFullSinceMs ?? null,
  };
}
