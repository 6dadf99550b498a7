import { setMaxListeners } from 'node:events';
import type { Clock, Disk, Random, Timer } from '@nhip/core/process/env';
import { reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { ResendRequest } from '@nhip/core/wire/outbox-identity';
import { hostStateTopic } from '@nhip/core/wire/sparkplug/host-state';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { sparkplugTopic } from '@nhip/core/wire/topic';
import { createBdSeq } from './bd-seq.ts';
import type { ConnectMqtt, MqttConnection } from './connection.ts';
import { createDeviceCommands, type DeviceCommandHandler } from './device-command.ts';
import type { DeviceTable } from './device-table.ts';
import { type NodeRequest, readNodeCommand } from './node-command.ts';
import { createNodeMessages, type NodeMessages, type NodeMessagesConfig, willOf } from './node-messages.ts';
import { createNodeTexts, type NodeText } from './node-texts.ts';
import { followPrimaryHost, HostOfflineError } from './primary-host.ts';
import { createLink, type SessionLink } from './session-link.ts';

export interface SessionConfig extends NodeMessagesConfig {
  /** How many servers there are; the next one is tried when a session ends or does not come up. Default 1. */
  readonly servers?: number | undefined;
  /** No birth before this host is online; when it goes offline, the session ends. */
  readonly primaryHostId?: string | undefined;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly log: Log;
  readonly devices: DeviceTable;
  readonly connect: ConnectMqtt;
  /** Metrics of the node itself, for NBIRTH and NDATA. A rebirth tells the last ones again. Must not reject. */
  nodeMetrics(): Promise<readonly Metric[]>;
  /** Long metrics of the node that seldom change; told when they do. Must not reject. */
  nodeTexts?(): Promise<readonly NodeText[]>;
  /** Called for each session that is up; must return when the link's signal aborts. */
  onSession(link: SessionLink): Promise<void>;
  /** The host asks for numbers again. Called while a session is up only. */
  onResend(request: ResendRequest): void;
  /** The host asks for something that the configuration may allow. Called while a session is up only; without it such requests are refused. */
  readonly onNodeRequest?: ((request: NodeRequest) => void) | undefined;
  /** A host wants a value in a machine. Without it no DCMD is subscribed to. */
  readonly deviceCommands?: DeviceCommandHandler | undefined;
}

export interface Session {
  start(): void;
  /** Says goodbye with an NDEATH (tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath), then disconnects. */
  stop(): Promise<void>;
  /** A device answers, or does not any more: DBIRTH or DDEATH when a session is up. Undefined: as in `NodeMessages`. */
  deviceChanged(deviceId: string, isOnline: boolean | undefined): void;
  /** A text of the node changed: it is told now instead of with the next data of the node. Never rejects. */
  nodeChanged(): Promise<void>;
  health(): { readonly isOnline: boolean; readonly connects: number; readonly rebirths: number };
}

/** A rebirth that is asked for sooner after the last one waits for this: a host in trouble must not make a storm. */
const rebirthQuietMs = 1000;
const nodeDataIntervalMs = 5000;
/** A strict session tells what changed, and what stands still this often. */
const strictHeartbeatMs = 60_000;
const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** When nobody listens, the computer is there and its broker is about to be: asking again costs both sides next to nothing. */
const longestRefusedDelayMs = 1000;
/** A session that lasted this long was a good one: the next attempt comes soon again. */
const steadyMs = 10_000;
/** With several servers, one that says nothing of the primary host is left after this. */
const hostWaitMs = 30_000;

/** The Sparkplug B 3.0 session of the edge node: one MQTT connection at a time, births before data, its own back-off. */
export function createSession(config: SessionConfig, deps: SessionDeps): Session {
  const { clock, log } = deps;
  const { primaryHostId, servers = 1, isStrict = false } = config;
  const stopping = new AbortController();
  const unborn = new Set<string>();
  const nextBdSeq = createBdSeq(deps.disk, 'session', log);
  const { deviceCommands: handler, onNodeRequest } = deps;
  const texts = createNodeTexts(clock, deps.nodeTexts ?? (async () => []));
  const deviceCommands = handler === undefined ? undefined : createDeviceCommands({ clock, log, devices: deps.devices, handler });
  let live: NodeMessages | undefined;
  let nodeMetrics: readonly Metric[] = [];
  let server = 0;
  /** The bdSeq of the last attempt was in no CONNECT. */
  let isBdSeqFree = false;
  let connects = 0;
  let rebirths = 0;
  let lastRebirthMs = Number.NEGATIVE_INFINITY;
  let waitingRebirth: Timer | undefined;
  let upSinceMs: number | undefined;
  let running: Promise<void> | undefined;

  function rebirth(): void {
    if (live === undefined) return;
    rebirths++;
    lastRebirthMs = clock.monotonic();
    waitingRebirth?.cancel();
    waitingRebirth = undefined;
    live.birth([...nodeMetrics, ...texts.all()]);
  }

  function onCommand(payload: Uint8Array, _topic: string, isRetained: boolean): void {
    if (live === undefined) return;
    try {
      // A retained request would be granted again at each connect.
      const command = readNodeCommand(payload, onNodeRequest !== undefined && !isRetained);
      for (const request of command.resends) deps.onResend(request);
      for (const request of command.requests) onNodeRequest?.(request);
      if (command.refused.length > 0) log.warn({ audit: 'command', metrics: command.refused }, 'A command for the node was refused');
      if (!command.rebirth || waitingRebirth !== undefined) return;
      log.info('The host asked for a rebirth');
      const waitMs = lastRebirthMs + rebirthQuietMs - clock.monotonic();
      if (waitMs <= 0) rebirth();
      else waitingRebirth = clock.after(waitMs, rebirth);
    } catch (error) {
      log.warn({ err: error }, 'A command could not be read and is ignored');
    }
  }

  /** Everything that may come must be able to come before the birth: a rebirth request could be missed. */
  async function subscribe(connection: MqttConnection, onState: ((payload: Uint8Array) => void) | undefined): Promise<void> {
    await connection.subscribe(sparkplugTopic(config.group, 'NCMD', config.edge), onCommand);
    if (deviceCommands !== undefined) {
      await connection.subscribe(sparkplugTopic(config.group, 'DCMD', config.edge, '+'), (payload, topic, isRetained) => {
        const deviceId = topic.split('/')[4] ?? '';
        // Commands must not be retained (tck-id-payloads-dcmd-retain): an old one would turn the knob again at each connect.
        if (isRetained) deviceCommands.refuse(deviceId, 'it is retained: old');
        else if (live !== undefined) deviceCommands.take(deviceId, payload);
      });
    }
    if (onState !== undefined && primaryHostId !== undefined) await connection.subscribe(hostStateTopic(primaryHostId), onState);
  }

  /** tck-id-message-flow-edge-node-birth-publish-phid-wait. Rejects when another server is to be tried. */
  async function hostOnline(online: Promise<void>, signal: AbortSignal): Promise<void> {
    if (servers === 1) return online;
    const isThere = await Promise.race([online.then(() => true), clock.sleep(hostWaitMs, signal).then(() => false)]);
    if (!isThere) throw new HostOfflineError(`no STATE of the primary host ${primaryHostId} on this server`);
  }

  /** One session from CONNECT to its end. Throws why it ended. */
  async function connectOnce(): Promise<void> {
    upSinceMs = undefined;
    const bdSeq = await nextBdSeq(isBdSeqFree);
    stopping.signal.throwIfAborted();
    const connection = deps.connect(willOf(config, bdSeq, clock.now()), server);
    const ended = new AbortController();
    /** The session ends because this side wants it to. */
    const leaving = new AbortController();
    // Every message under way may wait for the end.
    setMaxListeners(0, ended.signal);
    let isClosed = false;
    void connection.closed.then((error) => {
      isClosed = true;
      ended.abort(error);
    });
    const leave = (reason?: Error): void => {
      leaving.abort(reason);
      ended.abort(reason);
    };
    const onStop = (): void => leave();
    stopping.signal.addEventListener('abort', onStop, { once: true });
    const messages = createNodeMessages(config, { clock, log, devices: deps.devices, unborn }, connection, bdSeq);
    const untilEnd = <T>(step: Promise<T>): Promise<T> => Promise.race([step, aborted(ended.signal)]);
    const host =
      primaryHostId === undefined
        ? undefined
        : followPrimaryHost(primaryHostId, log, (wasOnline) => {
            // With one server there is nowhere to go: it waits where it is until the host comes.
            if (wasOnline || servers > 1) leave(new HostOfflineError(`the primary host ${primaryHostId} is offline`));
          });
    let isConnected = false;
    try {
      await untilEnd(connection.connected);
      isConnected = true;
      await untilEnd(subscribe(connection, host?.take));
      if (host !== undefined) await untilEnd(hostOnline(host.online, ended.signal)).catch(leaveThen(leave));
      nodeMetrics = await deps.nodeMetrics();
      await texts.refresh();
      ended.signal.throwIfAborted();
      live = messages;
      upSinceMs = clock.monotonic();
      connects++;
      log.info({ bdSeq, ...(servers > 1 ? { server } : {}) }, 'Session is up');
      messages.birth([...nodeMetrics, ...texts.all()]);
      const { signal } = ended;
      const link = createLink({ messages, connection, signal, isStrict, rebirth, nodeMetrics: () => nodeMetrics });
      await Promise.all([deps.onSession(link), sendNodeData(messages, signal)]);
      throw leaving.signal.aborted ? leaving.signal.reason : await connection.closed;
    } finally {
      if (live === messages) live = undefined;
      waitingRebirth?.cancel();
      waitingRebirth = undefined;
      stopping.signal.removeEventListener('abort', onStop);
      ended.abort();
      if (leaving.signal.aborted && isConnected && !isClosed) {
        await Promise.race([messages.death(), clock.sleep(1000)]).catch(() => undefined);
        await Promise.race([connection.disconnect(), clock.sleep(500)]).catch(() => undefined);
      }
      isBdSeqFree = !connection.isConnectSent();
      connection.destroy();
    }
  }

  async function sendNodeData(messages: NodeMessages, signal: AbortSignal): Promise<void> {
    const told = new Map(nodeMetrics.map((metric) => [metric.name, { text: textOf(metric.value), atMs: clock.monotonic() }]));
    /** Whether a strict session may tell it (tck-id-operational-behavior-data-publish-nbirth-change). */
    const isNews = ({ name, value }: Metric): boolean => {
      const [text, atMs] = [textOf(value), clock.monotonic()];
      const before = told.get(name);
      if (before?.text === text && atMs - before.atMs < strictHeartbeatMs) return false;
      told.set(name, { text, atMs });
      return true;
    };
    while (!signal.aborted) {
      await clock.sleep(nodeDataIntervalMs, signal).catch(() => undefined);
      nodeMetrics = await deps.nodeMetrics();
      const newTexts = await texts.news();
      if (signal.aborted) return;
      if (newTexts === undefined) {
        rebirth();
        continue;
      }
      // Our own server wants the mark of the outbox also when it stands still: it finds gaps by it.
      const news = isStrict ? nodeMetrics.filter(isNews) : nodeMetrics;
      if (news.length + newTexts.length > 0) messages.nodeData([...news, ...newTexts]);
    }
  }

  async function run(): Promise<void> {
    let delayMs = firstDelayMs;
    let isDown = false;
    while (!stopping.signal.aborted) {
      const error = await connectOnce().catch((cause: unknown) => cause);
      if (stopping.signal.aborted) return;
      server = (server + 1) % servers;
      if (upSinceMs !== undefined) {
        isDown = false;
        if (clock.monotonic() - upSinceMs > steadyMs) delayMs = firstDelayMs;
      }
      if (!isDown) log.warn({ reason: reasonOf(error) }, 'No session with the broker, will try again');
      isDown = true;
      const waitMs = isRefused(error) ? Math.min(delayMs, longestRefusedDelayMs) : delayMs;
      await clock.sleep(waitMs * (0.5 + deps.random.next()), stopping.signal).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    }
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    deviceChanged(deviceId, isOnline) {
      live?.deviceChanged(deviceId, isOnline);
    },
    async nodeChanged() {
      // Without a session the next birth tells it.
      if (live === undefined) return;
      const news = await texts.news();
      if (news === undefined) rebirth();
      else if (news.length > 0) live?.nodeData(news);
    },
    health: () => ({ isOnline: live !== undefined, connects, rebirths }),
  };
}

/** Says goodbye to a server that was waited for in vain, and passes the reason on. */
function leaveThen(leave: (reason: Error) => void): (error: unknown) => never {
  return (error) => {
    if (error instanceof HostOfflineError) leave(error);
    throw error;
  };
}

function textOf(value: Metric['value']): string {
  return value instanceof Uint8Array ? value.join(' ') : String(value);
}

/** Rejects with the reason of the abort: why the connection failed, for whoever reads the log. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}
