import { hostname } from 'node:os';
import type { LogSource } from '@nhip/core/log/log-bus';
import type { Clock, Timer } from '@nhip/core/process/env';
import { RetryableError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { PipelineStats } from '@nhip/core/wire/live';
import type { PlantModel } from '@nhip/core/wire/plant';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';
import { createAuthenticator } from './auth/authenticator.ts';
import { createPasswords } from './auth/password.ts';
import { openSessionFile } from './auth/session-file.ts';
import { openTokens } from './auth/tokens.ts';
import { openUsers } from './auth/users.ts';
import type { LiveConfig } from './config.ts';
import { createDeliveryBoard } from './delivery-board.ts';
import { createEdgeControl, type SendNodeCommand } from './edge-control.ts';
import { createFeed, type Feed } from './feed.ts';
import { createGate } from './gate.ts';
import { createApp } from './http/app.ts';
import { createExports } from './http/exports.ts';
import { createListeners } from './http/listeners.ts';
import { createOrigins } from './http/origins.ts';
import type { MetricFamily } from './http/prometheus.ts';
import { createRateLimit } from './http/rate-limit.ts';
import { createRequestFacts } from './http/request-facts.ts';
import { type Backups, backupRoutes } from './http/routes/backup.ts';
import { type DeadLetters, deadLetterRoutes } from './http/routes/dead-letters.ts';
import { deliveryRoutes } from './http/routes/delivery.ts';
import type { RouteDeps } from './http/routes/deps.ts';
import { downtimeRoutes } from './http/routes/downtime.ts';
import { edgeRoutes } from './http/routes/edges.ts';
import { exportRoutes } from './http/routes/export.ts';
import { healthRoutes } from './http/routes/health.ts';
import { historyRoutes } from './http/routes/history.ts';
import { kpiRoutes } from './http/routes/kpi.ts';
import { liveRoutes } from './http/routes/live.ts';
import { machineRoutes } from './http/routes/machines.ts';
import { sessionRoutes } from './http/routes/session.ts';
import { type SharingDesk, sharingRoutes } from './http/routes/sharing.ts';
import { stateRoutes } from './http/routes/states.ts';
import { storeRoutes } from './http/routes/store.ts';
import { createLiveHub } from './hub.ts';
import { createKpi } from './kpi/kpi.ts';
import { createLiveMetrics } from './live-metrics.ts';
import { openPlantState, type PlantState } from './plant-state/plant-state.ts';
import { createSocketOutlet } from './socket.ts';
import { createSseOutlet } from './sse.ts';
import { createStateChanges, type StateChange } from './state-changes.ts';
import { upkeepFamilies } from './upkeep-metrics.ts';
import { createViewerSlots } from './viewers.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

export interface LiveDeps {
  readonly env: { readonly clock: Clock };
  readonly log: Log;
  /** Already open; stays open after `stop`. */
  readonly store: HistoryStore;
  /** Asked at the start: the store's checkpoint, where the log goes on. */
  checkpoint(): Checkpoint | undefined;
  readonly logBus: LogSource;
  readonly plant: PlantModel | null;
  stats(): PipelineStats;
  /** Through the broker. */
  readonly sendNodeCommand: SendNodeCommand;
  /** Folder of the built web app; it may be missing. */
  readonly webDir: string;
  /** Folder of `users.json`, `tokens.json` and the plant state. */
  readonly dataDir: string;
  /** Password of `admin` on the first start; undefined: a random one. */
  readonly adminPassword: string | undefined;
  readonly version: string;
  /** A token for commands on this computer, for the life of this process. */
  readonly localToken?: string | undefined;
  /** Figures of roles in the same process, for /metrics. */
  moreMetrics?(): readonly MetricFamily[];
  readonly backups?: Backups | undefined;
  readonly deadLetters?: DeadLetters | undefined;
  /** The desk of the gateway to sector platforms. */
  readonly sharing?: SharingDesk | undefined;
  /** Told of every change of a machine's state from the start on; must not throw or wait. */
  machineChanged?(change: StateChange): void;
}

export interface LiveStarted {
  readonly port: number;
  /** undefined: no TLS. */
  readonly tlsPort: number | undefined;
  /** On the first start without a given password: to be shown once. */
  readonly firstLogin: { readonly username: string; readonly password: string } | undefined;
}

export interface Live {
  /**
   * Resolves when requests are answered and the hub is filled from the history. Rejects with ConfigError when secrets or the
   * address cannot be used and with RetryableError `live.portInUse` when the port is taken.
   */
  start(): Promise<LiveStarted>;
  /** Ends live connections and stops listening. Idempotent. */
  stop(): Promise<void>;
  health(): { readonly isReady: boolean; readonly problems: readonly string[] };
  /** Copies corrections and figures into the new file; false: it is not open. */
  copyPlantState(file: string): Promise<boolean>;
}

const dayMs = 86_400_000;

/** The live role: log and history → hub → Socket.io, SSE and the HTTP API. */
export function createLive(config: LiveConfig, deps: LiveDeps): Live {
  const { log, store, logBus, plant } = deps;
  const { clock } = deps.env;
  const hub = createLiveHub({ epoch: crypto.randomUUID(), plant });
  const feed = createFeed({ hub, store, checkpoint: deps.checkpoint, logBus, clock, log });
  const stops: (() => Promise<void> | void)[] = [];
  let state: PlantState | undefined;
  let isStarted = false;
  let isStopping = false;

  async function start(): Promise<LiveStarted> {
    const { users, firstPassword, keep } = await openUsers(deps.dataDir, createPasswords(), { adminPassword: deps.adminPassword, log });
    const tokens = await openTokens(deps.dataDir, log, deps.localToken);
    stops.push(() => tokens.close());
    const { publicUrl, trustedProxies } = config;
    // Behind a proxy everybody seems to be on this computer.
    const demo = config.demo && publicUrl === undefined && trustedProxies.length === 0;
    const sessionFile = await openSessionFile(deps.dataDir, users, log);
    stops.push(() => sessionFile.settled());
    const { rememberDays } = config;
    const staying = rememberDays === 0 ? undefined : { rememberMs: rememberDays * dayMs, file: sessionFile };
    const authenticator = createAuthenticator({ users, tokens, demo, staying });
    const readFacts = createRequestFacts(trustedProxies);
    const name = hostname();
    const origins = createOrigins({ allowedHosts: [...config.allowedHosts, name, `${name}.local`], publicUrl });
    const slots = createViewerSlots(config.maxViewers);
    const sse = createSseOutlet(hub, slots);
    const metrics = createLiveMetrics();
    const rateLimit = createRateLimit(config.rateLimit);
    const queries = createGate('queries', { atOnce: 4, queued: 32 });
    const delivery = createDeliveryBoard({ store, queries, clock, log });
    stops.push(() => delivery.stop());
    const edgeControl = createEdgeControl({ hub, clock, send: deps.sendNodeCommand, declares: feed.declares });
    const edges = () =>
      feed.edges().map((edge) => ({ ...edge, ...delivery.edge(edge.id), certificatesWaiting: edgeControl.waiting(edge.id) }));
    const plantState = await openPlantState(deps.dataDir);
    state = plantState;
    stops.push(() => plantState.close());
    const { unknownAfterMs } = config;
    const kpi = createKpi({ store, state, plant, clock, log, queries, unknownAfterMs, machines: hub.machines, edges: () => feed.edges() });
    stops.push(() => kpi.stop());
    const isPublicByTls = publicUrl?.startsWith('https:') === true;
    const routeDeps: RouteDeps = {
      hub,
      store,
      authenticator,
      sse,
      slots,
      queries,
      kpi: kpi.service,
      downtime: kpi.downtime,
      exports: createExports(store),
      demo,
      grafanaUrl: config.grafanaUrl,
      readFacts,
      rememberDays,
      isPublicByTls,
      unknownAfterMs,
      backups: deps.backups,
      deadLetters: deps.deadLetters,
      sharing: deps.sharing,
      stats: deps.stats,
      edges,
      edgeControl,
      log,
      notReady: () => notReady(feed, isStarted),
      metrics: () => [
        ...metrics.families({
          pipeline: deps.stats(),
          edges: feed.edges(),
          losses: delivery.totals(),
          feed: feed.stats(),
          outlets: { sse: sse.stats(), socket: socket.stats() },
          rateLimited: rateLimit.refused(),
          queries: queries.stats(),
        }),
        ...webhooks.families(),
        ...kpi.families(),
        ...upkeepFamilies(store.upkeep?.status()),
        ...(deps.moreMetrics?.() ?? []),
      ],
    };
    const routes = [
      sessionRoutes,
      machineRoutes,
      stateRoutes,
      historyRoutes,
      kpiRoutes,
      downtimeRoutes,
      deliveryRoutes,
      edgeRoutes,
      liveRoutes,
      healthRoutes,
      backupRoutes,
      storeRoutes,
      exportRoutes,
      deadLetterRoutes,
      sharingRoutes,
    ].flatMap((make) => make(routeDeps));
    const { webDir, version } = deps;
    const { answered } = metrics;
    const app = await createApp({ clock, log, routes, authenticator, origins, readFacts, rateLimit, webDir, version, answered });
    const socket = createSocketOutlet(app.server, { hub, clock, log, authenticator, origins, readFacts, slots });
    authenticator.onSessionEnded((session) => {
      socket.endSession(session);
      sse.endSession(session);
    });
    app.addHook('preClose', async () => {
      sse.close();
      socket.close();
    });
    const listeners = createListeners(app, config, { clock, log });
    stops.push(() => listeners.close());
    stops.push(() => feed.stop());
    // Filled and published before anybody can ask.
    await feed.start();
    hub.tick(clock.now());
    const changes = createStateChanges(hub);
    const webhooks = createWebhooks(config.webhooks, { hub, clock, log });
    stops.push(() => webhooks.stop());
    if (isStopping) throw new RetryableError('live.stopped', 'The live service was stopped while it started.');
    const { port, tlsPort } = await listeners.open();
    await keep();
    const ticks = everyTick(clock, config.tickMs, () => {
      const nowMs = clock.now();
      const frame = hub.tick(nowMs);
      socket.tick(frame, nowMs);
      sse.tick(frame, nowMs);
      webhooks.tick(frame);
      for (const change of changes.read(frame)) deps.machineChanged?.(change);
    });
    stops.push(() => ticks.cancel());
    kpi.start();
    isStarted = true;
    log.info({ host: config.host, port, tlsPort, demo }, 'Live service started');
    return { port, tlsPort, firstLogin: firstPassword === undefined ? undefined : { username: 'admin', password: firstPassword } };
  }

  async function stop(): Promise<void> {
    isStarted = false;
    isStopping = true;
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  }

  return {
    async start() {
      try {
        return await start();
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
    health() {
      const problems = notReady(feed, isStarted);
      return { isReady: problems.length === 0, problems };
    },
    async copyPlantState(file) {
      await state?.copyTo(file);
      return state !== undefined;
    },
  };
}

function notReady(feed: Feed, isStarted: boolean): readonly string[] {
  if (!isStarted) return ['starting'];
  const { isCaughtUp, isBroken } = feed.stats();
  return [...(isBroken ? ['the log cannot be read'] : []), ...(isCaughtUp ? [] : ['still reading what was in the log at the start'])];
}

function everyTick(clock: Clock, tickMs: number, run: () => void): Timer {
  let timer = clock.after(tickMs, again);
  function again(): void {
    timer = clock.after(tickMs, again);
    run();
  }
  return { cancel: () => timer.cancel() };
}
