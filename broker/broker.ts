import type { Duplex } from 'node:stream';
import type { LogBus } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import { RetryableError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { Tracing } from '@nhip/core/process/tracing';
import { brokerStartedTopic, encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { sparkplugTopic } from '@nhip/core/wire/topic';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { refusePublish, refuseSubscribe } from './acl.ts';
import type { CredentialFile } from './auth/credentials.ts';
import type { BrokerConfig } from './config.ts';
import { type BrokerCounters, createGate } from './gate.ts';
import { createHostState, type HostState } from './host-state.ts';
import { type Listeners, listen } from './listeners.ts';
import { createLogins } from './logins.ts';
import { deliverOvertakingPackets, guardPackets } from './packet-guard.ts';
import { leaveOutFanOut } from './telemetry-path.ts';

export interface BrokerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logBus: LogBus;
  readonly credentials: CredentialFile;
  readonly tracing?: Tracing | undefined;
}

export interface Broker {
  /** Resolves with the ports when clients can connect. Throws ConfigError for a taken port, PermanentError for unreadable credentials. */
  start(): Promise<Omit<Listeners, 'close'>>;
  /** Closes every connection. What was acknowledged is in the log. Idempotent. */
  stop(): Promise<void>;
  /** Publishes a command to an edge node (NCMD, QoS 0, not retained). */
  sendNodeCommand(group: string, edge: string, payload: Uint8Array): void;
  /** `pending`: sockets that have not logged in yet; `crowdedOut`: those that had to make room for others, since the start. */
  health(): { readonly connections: number; readonly pending: number; readonly crowdedOut: number } & Readonly<BrokerCounters>;
}

const announceRetryMs = 1000;
/** Pre-CONNECT sockets: each holds memory for a stranger. Beyond it the oldest goes, so that idle ones cannot keep clients out. */
const maxPending = 256;

/**
 * The broker role: Aedes behind a packet guard, with credentials, ACL and the gate to the durable log.
 * The client id is bound to the credential: it is prefixed with the user name inside, so that no client can take over
 * the session of another identity, and one that names another identity outright is refused.
 */
export function createBroker(config: BrokerConfig, deps: BrokerDeps): Broker {
  const { clock, log, logBus, credentials } = deps;
  const counters: BrokerCounters = { received: 0, waiting: 0, unkept: 0, refused: 0, oversized: 0, authFailed: 0 };
  let crowdedOut = 0;
  const logins = createLogins(credentials, { clock, log });
  /** Filters that were granted. */
  const subscriptions = new WeakMap<Client, Set<string>>();
  const gate = createGate({
    log: logBus,
    clock,
    counters,
    tracing: deps.tracing,
    refused: (reason) => log.warn({ reason }, 'Publish refused, connection closed'),
    keepingChanged: (err) => {
      if (err === undefined) log.info('Messages are kept again');
      else log.error({ err }, 'Messages cannot be kept: publishers are refused and keep what they have until there is room');
    },
  });
  const pending = new Set<Duplex>();
  const stopping = new AbortController();
  /** Whether the log knows that the sessions before this broker have ended. */
  let isAnnounced = false;
  let announcing: Promise<void> = Promise.resolve();
  let following: Promise<void> = Promise.resolve();
  let listeners: Listeners | undefined;
  let aedes: Aedes | undefined;
  let hostState: HostState | undefined;

  async function createAedes(): Promise<Aedes> {
    const broker = await Aedes.createBroker({
      concurrency: 5000,
      connectTimeout: config.connectTimeoutMs,
      drainTimeout: config.drainTimeoutMs,
      keepaliveLimit: 0,
      maxInflightInbound: 100,
      maxTopicLevels: 16,
      preConnect: (_, packet, done) => {
        const isFull = broker.connectedClients >= config.maxConnections;
        // [MQTT-3.1.3-8]: an empty client id needs a clean session.
        const isNameless = packet.clientId === '' && !packet.clean;
        const reason = isFull ? 'too many clients' : 'empty client id needs a clean session';
        const isRefused = isFull || isNameless || !isAnnounced;
        done(isRefused ? new Error(isAnnounced ? reason : 'the log takes nothing yet') : null, !isRefused);
      },
      authenticate: (client, username, password, done) => {
        const credential = username === undefined || password === undefined ? undefined : credentials.verify(username, password);
        const isForeignId = client.id !== credential?.username && credentials.current().has(client.id);
        const willRefusal = credential === undefined ? undefined : refuseWill(client, credential.username);
        if (credential === undefined || isForeignId || willRefusal !== undefined) {
          counters.authFailed++;
          log.warn({ clientId: client.id.slice(0, 80), user: username?.slice(0, 80), reason: willRefusal }, 'MQTT login refused');
          done(Object.assign(new Error('not authorized'), { returnCode: 5 }) as AuthenticateError, null);
          return;
        }
        client.id = `${credential.username}|${client.id}`;
        logins.add(client, credential);
        done(null, true);
      },
      authorizePublish: (client, packet, done) => gate.pass(client === null ? undefined : logins.username(client), packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        const granted = subscriptions.get(client) ?? new Set();
        const isFull = granted.size >= config.maxSubscriptions && !granted.has(subscription.topic);
        const reason = isFull ? 'too many subscriptions' : refuseSubscribe(logins.username(client) ?? '', subscription.topic);
        if (reason !== undefined) {
          log.warn({ clientId: client.id, filter: subscription.topic.slice(0, 200), reason }, 'Subscription refused');
          // null answers SUBACK 0x80 and keeps the connection.
          done(null, null);
          return;
        }
        subscriptions.set(client, granted.add(subscription.topic));
        done(null, subscription);
      },
    });
    leaveOutFanOut(broker);
    broker.on('client', (client) => {
      deliverOvertakingPackets(client, broker.id);
      log.info({ clientId: client.id }, 'Client connected');
    });
    broker.on('unsubscribe', (filters, client) => {
      for (const filter of filters) subscriptions.get(client)?.delete(filter);
    });
    broker.on('clientDisconnect', (client) => log.info({ clientId: client.id }, 'Client disconnected'));
    broker.on('clientError', (client, error) => log.debug({ clientId: client.id, reason: error.message }, 'Client error'));
    broker.on('connectionError', (_, error) => log.debug({ reason: error.message }, 'Connection error'));
    return broker;
  }

  /** Sessions ended with the process that held them; readers of the log must know before the first birth. */
  async function announce(): Promise<void> {
    await logBus.append(encodeLogMessage({ receivedMs: clock.now(), sender: '', topic: brokerStartedTopic, payload: new Uint8Array() }));
    isAnnounced = true;
  }

  /** A full log is no reason not to start: ingest in the same process makes the room. */
  async function announceLater(): Promise<void> {
    while (!isAnnounced && !stopping.signal.aborted) {
      await clock.sleep(announceRetryMs, stopping.signal).catch(() => undefined);
      if (!stopping.signal.aborted) await announce().catch(() => undefined);
    }
    if (isAnnounced) log.info('The log takes messages again, clients are let in');
  }

  return {
    async start() {
      credentials.list();
      await announce().catch((err: unknown) => {
        if (!(err instanceof RetryableError)) throw err;
        log.error({ err }, 'The log takes nothing: clients are refused until it does');
        announcing = announceLater();
      });
      const broker = await createAedes();
      aedes = broker;
      hostState = createHostState(broker, config.hostId, clock);
      await hostState.online();
      listeners = await listen(config, { clock, log }, (stream, address) => {
        const [oldest] = pending;
        if (pending.size >= maxPending && oldest !== undefined) {
          pending.delete(oldest);
          oldest.destroy();
          crowdedOut++;
        }
        pending.add(stream);
        const client = broker.handle(stream as Parameters<Aedes['handle']>[0]);
        const settled = (): void => void pending.delete(stream);
        client.once('connected', settled);
        stream.once('close', settled);
        guardPackets(client, config.maxPacketBytes, (bytes) => {
          counters.oversized++;
          log.warn({ address, bytes, maxBytes: config.maxPacketBytes }, 'Oversized packet refused, connection closed');
        });
      });
      following = logins.follow(stopping.signal);
      const { port, tlsPort, webSocketPort } = listeners;
      return { port, tlsPort, webSocketPort };
    },

    async stop() {
      stopping.abort();
      await Promise.all([announcing, following]);
      // Edges that wait for this host go to their next server at once.
      await hostState?.offline().catch((err: unknown) => log.debug({ err }, 'Nobody could be told that the host goes offline'));
      hostState = undefined;
      await listeners?.close();
      listeners = undefined;
      const broker = aedes;
      aedes = undefined;
      if (broker !== undefined) await new Promise<void>((resolve) => broker.close(resolve));
    },

    sendNodeCommand(group, edge, payload) {
      const packet = {
        cmd: 'publish' as const,
        topic: sparkplugTopic(group, 'NCMD', edge),
        payload: Buffer.from(payload),
        qos: 0 as const,
        retain: false,
        dup: false,
      };
      aedes?.publish(packet, (error) => {
        if (error) log.warn({ group, edge, reason: error.message }, 'Command could not be sent');
      });
    },

    health: () => ({ connections: aedes?.connectedClients ?? 0, pending: pending.size, crowdedOut, ...counters }),
  };
}

/** The will is published in the client's name: it passes the same ACL, at CONNECT, where a refusal can be answered. */
function refuseWill(client: Client, username: string): string | undefined {
  const will = (client as unknown as { _will?: { topic: string } | null })._will;
  if (will === undefined || will === null) return undefined;
  return refusePublish(username, will.topic);
}
