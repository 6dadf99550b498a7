import type { Timer } from '@nhip/core/process/env';
import { ClientSubscription } from 'node-opcua-client';
import { type Alarms, createAlarms } from './alarms.ts';
import { type Backfill, createBackfill } from './backfill.ts';
import type { HistoryProgress } from './history-progress.ts';
import { createItems, createRefusals, type Item, nodeNamesOf } from './items.ts';
import { faultOf, readLimits } from './limits.ts';
import type { Link, Session } from './link.ts';
import { createMonitoredItems, monitorValue } from './monitored-items.ts';
import { type ResolvedNode, resolveNodes } from './node-ids.ts';
import { createNotifications, type Notifications, namespaceHandle } from './notifications.ts';
import { serverProfiles } from './profiles.ts';

/**
 * Subscriptions of one session: a scan class for each publishing interval, items created in chunks that the server accepts, alarms in
 * the first subscription. Values are emitted when the namespace table afterwards is the one that the node ids were made from.
 */

export interface Subscribed {
  /** Node ids of this session, by the names of the config. */
  readonly nodes: ReadonlyMap<string, ResolvedNode>;
  readonly namespaces: readonly string[];
  readonly backfill: Backfill;
}

/** Servers are quick to publish; slow values are sampled slowly but published soon. */
const longestPublishingMs = 5_000;
/** An idle subscription speaks at least this often, so that its loss is noticed. */
const keepAliveMs = 5_000;
const watchdogSlackMs = 2_000;
const namespaceArrayNode = 'ns=0;i=2255';

/** Resolves when every device is subscribed. Nodes that the server does not have are emitted as bad and logged. */
export async function subscribeDevices(link: Link, progress: HistoryProgress): Promise<Subscribed> {
  const { session, config, lose } = link;
  const profile = serverProfiles[config.profile];
  const namespaces = await session.readNamespaceArray();
  const limits = await readLimits(session, profile);
  const nodes = await resolveNodes(session, nodeNamesOf(config), namespaces, limits.browsePaths);
  const refusals = createRefusals(link);
  const items = createItems(link, nodes, refusals);
  const alarms = createAlarms(link, nodes, refusals, items.length + 1);
  const backfill = createBackfill(link, items, limits, progress);
  const notifications = createNotifications(link, {
    items,
    namespaceTable: (table) => {
      if (!isSameTable(table, namespaces)) lose('the server numbers its namespaces anew');
    },
    live: backfill.live,
    event: alarms.event,
  });

  const checkTable = async (): Promise<void> => {
    if (!isSameTable(await session.readNamespaceArray(), namespaces)) lose('the server numbers its namespaces anew');
    link.over.throwIfAborted();
  };

  const first = await subscribeItems(link, items, notifications, profile.maxSubscriptions, {
    link,
    refusals,
    perCall: limits.monitoredItems,
    handles: new Map(items.map((item, i) => [item, i + 1])),
    filters: { isSupported: profile.triesDeadband },
    created: async () => {
      // Thousands of items take a while; their first values are not to pile up here.
      if (!notifications.isHolding()) return;
      await checkTable();
      notifications.flush();
    },
  });
  await followAlarms(alarms, first);
  refusals.summarize();
  await checkTable();
  notifications.release();
  backfill.start();
  return { nodes, namespaces, backfill };
}

async function subscribeItems(
  link: Link,
  items: readonly Item[],
  notifications: Notifications,
  maxSubscriptions: number,
  toCreate: Parameters<typeof createMonitoredItems>[0],
): Promise<ClientSubscription> {
  const { session, over } = link;
  let first: ClientSubscription | undefined;
  let latest: ClientSubscription | undefined;
  let count = 0;
  for (const [publishingMs, group] of groupByPublishing(items, link.config)) {
    const made: ClientSubscription | undefined =
      count < maxSubscriptions ? await createSubscription(session, publishingMs, latest !== undefined) : undefined;
    over.throwIfAborted();
    if (made !== undefined) {
      count++;
      watch(link, made, publishingMs);
      notifications.attach(made);
      if (first === undefined) await monitorValue(session, made, namespaceArrayNode, namespaceHandle);
      first ??= made;
      latest = made;
    }
    // The server has no room for another subscription: the next faster one takes these items, which are sampled no faster for that.
    if (latest !== undefined) await createMonitoredItems(toCreate, latest, group);
  }
  if (first === undefined) throw new Error('a session without a subscription');
  return first;
}

/** Alarms that cannot be followed are bad; the values go on. */
async function followAlarms(alarms: Alarms, subscription: ClientSubscription): Promise<void> {
  if (alarms.isNeeded) await alarms.follow(subscription);
}

/** Fastest first. At least one group: the namespace table is watched in any case. Alarms are published as often as their device's values. */
function groupByPublishing(
  items: readonly Item[],
  { devices }: Link['config'],
): readonly (readonly [publishingMs: number, items: readonly Item[]])[] {
  const groups = new Map<number, Item[]>();
  for (const { events, intervalMs } of devices) if (events.length > 0) groups.set(Math.min(intervalMs, longestPublishingMs), []);
  for (const item of items) {
    const publishingMs = Math.min(item.samplingMs, longestPublishingMs);
    const group = groups.get(publishingMs);
    if (group === undefined) groups.set(publishingMs, [item]);
    else group.push(item);
  }
  return groups.size > 0 ? [...groups].sort(([a], [b]) => a - b) : [[longestPublishingMs, []]];
}

/** The subscription; undefined when the server has no room for it and there is another one. */
async function createSubscription(session: Session, publishingMs: number, hasAnother: boolean): Promise<ClientSubscription | undefined> {
  const keepAliveCount = Math.max(1, Math.ceil(keepAliveMs / publishingMs));
  try {
    return await startSubscription(session, {
      requestedPublishingInterval: publishingMs,
      requestedMaxKeepAliveCount: keepAliveCount,
      requestedLifetimeCount: keepAliveCount * 10,
      maxNotificationsPerPublish: 1_000,
      // The library's default is false: such a subscription never says anything.
      publishingEnabled: true,
      priority: 0,
    });
  } catch (error) {
    if (hasAnother && faultOf(error) === 'BadTooManySubscriptions') return undefined;
    throw error;
  }
}

/**
 * As `createSubscription2` of the library, which asserts in an event handler that the session is still there, and so ends the whole
 * agent when the session was closed while the answer came.
 */
function startSubscription(session: Session, options: Parameters<Session['createSubscription2']>[0]): Promise<ClientSubscription> {
  return new Promise((resolve, reject) => {
    const subscription = ClientSubscription.create(session, options);
    subscription.on('started', () => resolve(subscription));
    subscription.on('error', reject);
  });
}

/** Ends the connection when the subscription ends, or says nothing for one and a half keep-alive times. */
function watch({ deps, over, lose }: Link, subscription: ClientSubscription, publishingMs: number): void {
  const limitMs = subscription.publishingInterval * subscription.maxKeepAliveCount * 1.5 + watchdogSlackMs;
  let timer: Timer | undefined;
  const arm = (): void => {
    timer?.cancel();
    if (!over.aborted)
      timer = deps.clock.after(limitMs, () => lose(`no sign of life from the ${publishingMs} ms subscription for ${limitMs} ms`));
  };
  over.addEventListener('abort', () => timer?.cancel(), { once: true });
  subscription.on('raw_notification', arm);
  subscription.on('terminated', () => lose('the server ended the subscription'));
  subscription.on('status_changed', () => lose('the server changed the state of the subscription'));
  subscription.on('error', () => lose('the subscription failed'));
  subscription.on('internal_error', () => lose('the subscription failed'));
  arm();
}

function isSameTable(table: unknown, namespaces: readonly string[]): boolean {
  // No value is no news: some servers do not let clients monitor the table.
  if (!Array.isArray(table)) return true;
  return table.length === namespaces.length && namespaces.every((uri, i) => table[i] === uri);
}
