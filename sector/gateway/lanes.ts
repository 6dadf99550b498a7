import type { KeyObject } from 'node:crypto';
import type { Env } from '@nhip/core/process/env';
import { reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { isLoopback } from '@nhip/core/process/loopback';
import type { Recipient, SharingPolicy } from '../contract/policy.ts';
import type { GivenKey } from '../contract/verify-file.ts';
import { createAccessToken } from './adapters/access-token.ts';
import type { Adapter } from './adapters/adapter.ts';
import { createFileBundle } from './adapters/file-bundle.ts';
import { createHttpsAdapter } from './adapters/https.ts';
import type { Alarms } from './alarms.ts';
import type { GatewayConfig, RecipientConfig } from './config.ts';
import type { GatewayFiles } from './gateway-files.ts';
import { createLoop, type Loop } from './loop.ts';
import type { OutboxItem } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';
import { retryDelayMs } from './outbox/retry.ts';
import { createSender, type Sender } from './sender.ts';
import type { StatusStream } from './status-stream.ts';

/** The open ways to recipients: one adapter, one sender and one loop each. They are closed and opened again when the policy moves them. */
export interface Lanes {
  /** Opens what the policy and the configuration name, closes what they no longer do. */
  arrange(policy: SharingPolicy | undefined): Promise<void>;
  /** Something may be ready to be sent. */
  kick(): void;
  /** Runs every lane once, and resolves when they are done. */
  run(): Promise<void>;
  sender(recipient: string): Sender | undefined;
  /** Drops requests that are under way for what may not leave any more. */
  stopWhatMayNotLeave(): void;
  close(): Promise<void>;
}

export interface LanesDeps {
  readonly env: Env;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly config: GatewayConfig;
  readonly files: GatewayFiles;
  readonly alarms: Alarms;
  readonly statusStreams: ReadonlyMap<string, StatusStream>;
  /** A folder is looked at so often; everything else is woken. */
  readonly intervalMs: number;
  mayLeave(item: OutboxItem): boolean;
  /** Nothing leaves to anybody, machine states neither. */
  isPaused(): boolean;
  readonly ownKey: KeyObject;
}

interface Lane {
  readonly way: string;
  readonly adapter: Adapter;
  readonly sender: Sender;
  readonly loop: Loop;
}

export function createLanes(deps: LanesDeps): Lanes {
  const { env, log, outbox, config, files, alarms } = deps;
  const lanes = new Map<string, Lane>();
  let isClosed = false;

  async function open(id: string, { endpoint }: Recipient, connection: RecipientConfig, way: string): Promise<Lane> {
    const keys: readonly GivenKey[] = await files.platformKeys(connection);
    const adapter = await adapterFor(endpoint, connection);
    const { mayLeave, ownKey } = deps;
    const seriesPrefix = `${config.enterpriseId}/${config.establishmentId}/`;
    const platformKeys = (): readonly GivenKey[] => keys;
    const sender = createSender({ env, log, outbox, recipient: id, adapter, platformKeys, ownKey, seriesPrefix, mayLeave });
    const stream = deps.statusStreams.get(id);
    let streamFailures = 0;
    let streamWaitsUntilMs = 0;
    const loop = createLoop(env.clock, deps.intervalMs, async (signal) => {
      const idleMs = await sender.pass(signal);
      if (stream === undefined || deps.isPaused() || env.clock.monotonic() < streamWaitsUntilMs) return idleMs;
      try {
        await stream.pass(adapter, signal);
        streamFailures = 0;
      } catch (error) {
        if (streamFailures++ === 0) log.warn({ recipient: id, err: error }, 'Machine states cannot be sent: they wait');
        streamWaitsUntilMs = env.clock.monotonic() + retryDelayMs(streamFailures, env.random);
      }
      return idleMs;
    });
    return { way, adapter, sender, loop };
  }

  async function adapterFor(endpoint: Recipient['endpoint'], connection: RecipientConfig): Promise<Adapter> {
    switch (endpoint.adapter) {
      case 'https': {
        const url = safeUrl(endpoint.url ?? '', connection.allowPlainHttp);
        const tls = await files.tls(connection);
        const now = (): number => env.clock.now();
        const secret = (): Promise<string> => files.secret(connection);
        const token = createAccessToken({ url: new URL('/oauth/token', url), clientId: connection.clientId, secret, tls, now });
        return createHttpsAdapter({ url, token, tls, now });
      }
      case 'file-bundle':
        return createFileBundle(files.bundle(connection));
      default:
        throw new Error(`there is no adapter "${endpoint.adapter}" yet: use https or file-bundle`);
    }
  }

  async function close(id: string): Promise<void> {
    const lane = lanes.get(id);
    lanes.delete(id);
    await lane?.adapter.close();
    await lane?.loop.stop();
  }

  return {
    async arrange(policy) {
      if (isClosed) return;
      for (const id of lanes.keys()) {
        const recipient = policy?.recipients.find((each) => each.id === id);
        if (recipient === undefined || wayOf(recipient) !== lanes.get(id)?.way) await close(id);
      }
      for (const recipient of policy?.recipients ?? []) {
        const { id, products } = recipient;
        const connection = config.recipients[id];
        if (lanes.has(id) || connection === undefined || !products.some(({ enabled }) => enabled)) continue;
        try {
          lanes.set(id, await open(id, recipient, connection, wayOf(recipient)));
          // Closed while it was being opened.
          if (isClosed) await close(id);
          alarms.clear('recipient_config', id);
        } catch (error) {
          const words = reasonOf(error);
          alarms.raise(
            'recipient_config',
            { vi: `Kết nối tới ${id} chưa dùng được: ${words}`, en: `The connection to ${id} cannot be used: ${words}` },
            id,
          );
        }
      }
    },
    kick: () => {
      for (const { loop } of lanes.values()) loop.kick();
    },
    run: async () => {
      await Promise.all([...lanes.values()].map(({ loop }) => loop.run()));
    },
    sender: (id) => lanes.get(id)?.sender,
    stopWhatMayNotLeave: () => {
      for (const { sender } of lanes.values()) sender.stopWhatMayNotLeave();
    },
    async close() {
      isClosed = true;
      await Promise.all([...lanes.keys()].map(close));
    },
  };
}

function wayOf({ endpoint }: Recipient): string {
  return `${endpoint.adapter} ${endpoint.url ?? ''}`;
}

/** Encrypted, or to this computer. Throws otherwise. */
function safeUrl(text: string, allowPlainHttp: boolean): URL {
  const url = new URL(text);
  if (url.protocol === 'https:' || isLoopback(url.hostname) || allowPlainHttp) return url;
  throw new Error(`${text} is not encrypted: write https:// into the policy`);
}
