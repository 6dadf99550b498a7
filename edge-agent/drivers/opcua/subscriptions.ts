import type { Timer } from '@nhip/core/process/env';
import { quality } from '@nhip/core/wire/sample';
import {
  AttributeIds,
  type ClientSession,
  type ClientSessionRawSubscriptionService,
  type ClientSubscription,
  coerceNodeId,
  DataChangeNotification,
  type DataValue,
  MonitoringMode,
  type NotificationMessage,
  TimestampsToReturn,
} from 'node-opcua-client';
import type { DriverDeps, Reading } from '../../driver.ts';
import type { OpcuaConfig, OpcuaTagConfig } from './config.ts';
import { parseNode, resolveNode } from './namespaces.ts';
import { createValueReader, timestampOf } from './values.ts';

/**
 * Subscriptions of one session: one for each publishing interval, items created in chunks that the server accepts.
 *
 * Items are created on the session and their notifications taken from the raw messages: the library's item objects cost memory, are
 * created in one request however many there are, and hide an item that the server refused.
 */

/** The raw services exist on every session but are declared apart. */
export type Session = ClientSession & ClientSessionRawSubscriptionService;

export interface SubscribeContext {
  readonly session: Session;
  readonly config: OpcuaConfig;
  readonly deps: DriverDeps;
  /** Aborts at the end of the driver: nothing is emitted after it. */
  readonly over: AbortSignal;
  /** Ends the connection. */
  lose(what: string): void;
  emit(deviceId: string, readings: readonly Reading[]): void;
}

interface Item {
  readonly deviceId: string;
  readonly tag: OpcuaTagConfig;
  readonly nodeId: string;
  readonly samplingMs: number;
  read(dataValue: DataValue): Reading;
}

/** Servers are quick to publish; slow values are sampled slowly but published soon. */
const longestPublishingMs = 5_000;
/** An idle subscription speaks at least this often, so that its loss is noticed. */
const keepAliveMs = 5_000;
const watchdogSlackMs = 2_000;
const defaultItemsPerCall = 100;
const namespaceArrayNode = 'ns=0;i=2255';
const itemsPerCallNode = 'ns=0;i=11714';
/** Client handle of the namespace table; items count from 1. */
const namespaceHandle = 0;

/** Resolves when every device is subscribed. Nodes that the server does not have are emitted as bad and logged. */
export async function subscribeDevices(context: SubscribeContext): Promise<void> {
  const { session, over } = context;
  const namespaces = await session.readNamespaceArray();
  const items = findItems(context, namespaces);
  const itemsPerCall = await readItemsPerCall(session);
  const byPublishing = groupByPublishing(items);
  let watchesNamespaces = false;
  for (const [publishingMs, group] of byPublishing) {
    const subscription = await createSubscription(session, publishingMs);
    over.throwIfAborted();
    watch(context, subscription, publishingMs);
    takeNotifications(context, subscription, group, namespaces);
    if (!watchesNamespaces) await watchNamespaces(session, subscription);
    watchesNamespaces = true;
    for (let from = 0; from < group.length; from += itemsPerCall) {
      await createItems(context, subscription, group, from, Math.min(from + itemsPerCall, group.length));
    }
  }
}

/** At least one group: the namespace table is watched in any case. */
function groupByPublishing(items: readonly Item[]): ReadonlyMap<number, readonly Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const publishingMs = Math.min(item.samplingMs, longestPublishingMs);
    const group = groups.get(publishingMs);
    if (group === undefined) groups.set(publishingMs, [item]);
    else group.push(item);
  }
  return groups.size > 0 ? groups : new Map([[longestPublishingMs, []]]);
}

/** The items whose namespace the server has. */
function findItems(context: SubscribeContext, namespaces: readonly string[]): readonly Item[] {
  const { config, deps } = context;
  const items: Item[] = [];
  for (const device of config.devices) {
    for (const tag of device.tags) {
      const node = parseNode(tag.node);
      const nodeId = 'problem' in node ? undefined : resolveNode(node, namespaces);
      if (nodeId === undefined) refuse(context, device.id, tag, 'the server has no such namespace');
      else items.push({ deviceId: device.id, tag, nodeId, samplingMs: device.intervalMs, read: createReader(device.id, tag, deps) });
    }
  }
  return items;
}

function createReader(deviceId: string, tag: OpcuaTagConfig, { clock, log }: DriverDeps): Item['read'] {
  const { metric } = tag;
  const readValue = createValueReader(tag);
  let told = false;
  return (dataValue) => {
    const { value, quality: valueQuality, problem } = readValue(dataValue);
    if (problem !== undefined && !told) {
      told = true;
      log.warn(
        { device: deviceId, metric, node: tag.node, dataType: tag.dataType, problem },
        'The value does not fit the tag and is reported as bad.',
      );
    }
    return { metric, value, timestampMs: timestampOf(dataValue, clock.now()), quality: valueQuality };
  };
}

function refuse({ deps, emit }: SubscribeContext, deviceId: string, tag: OpcuaTagConfig, reason: string): void {
  deps.log.warn({ device: deviceId, metric: tag.metric, node: tag.node, reason }, 'The node cannot be subscribed and is reported as bad.');
  emit(deviceId, [{ metric: tag.metric, value: null, timestampMs: deps.clock.now(), quality: quality.bad }]);
}

/** MaxMonitoredItemsPerCall of the server; 0 and "not there" mean unknown. */
async function readItemsPerCall(session: Session): Promise<number> {
  const answer = await session.read({ nodeId: itemsPerCallNode, attributeId: AttributeIds.Value });
  const limit: unknown = answer.value.value;
  return typeof limit === 'number' && limit > 0 ? Math.min(limit, defaultItemsPerCall) : defaultItemsPerCall;
}

function createSubscription(session: Session, publishingMs: number): Promise<ClientSubscription> {
  const keepAliveCount = Math.max(1, Math.ceil(keepAliveMs / publishingMs));
  return session.createSubscription2({
    requestedPublishingInterval: publishingMs,
    requestedMaxKeepAliveCount: keepAliveCount,
    requestedLifetimeCount: keepAliveCount * 10,
    maxNotificationsPerPublish: 1_000,
    // The library's default is false: such a subscription never says anything.
    publishingEnabled: true,
    priority: 0,
  });
}

/** Ends the connection when the subscription ends, or says nothing for one and a half keep-alive times. */
function watch({ deps, over, lose }: SubscribeContext, subscription: ClientSubscription, publishingMs: number): void {
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

function takeNotifications(
  context: SubscribeContext,
  subscription: ClientSubscription,
  items: readonly Item[],
  namespaces: readonly string[],
): void {
  const { over, lose, emit } = context;
  subscription.on('raw_notification', (message: NotificationMessage) => {
    const byDevice = new Map<string, Reading[]>();
    for (const notification of message.notificationData ?? []) {
      if (!(notification instanceof DataChangeNotification)) continue;
      for (const { clientHandle, value } of notification.monitoredItems ?? []) {
        if (clientHandle === namespaceHandle) {
          if (!isSameTable(value, namespaces)) lose('the server numbers its namespaces anew');
          continue;
        }
        const item = items[clientHandle - 1];
        if (item === undefined) continue;
        const readings = byDevice.get(item.deviceId);
        if (readings === undefined) byDevice.set(item.deviceId, [item.read(value)]);
        else readings.push(item.read(value));
      }
    }
    if (over.aborted) return;
    for (const [deviceId, readings] of byDevice) emit(deviceId, readings);
  });
}

/** Some servers renumber their namespaces while they run: then every node id of this session is in doubt. */
async function watchNamespaces(session: Session, subscription: ClientSubscription): Promise<void> {
  await session.createMonitoredItems({
    subscriptionId: subscription.subscriptionId,
    timestampsToReturn: TimestampsToReturn.Neither,
    itemsToCreate: [itemToCreate(namespaceArrayNode, namespaceHandle, subscription.publishingInterval, subscription.publishingInterval)],
  });
}

function isSameTable(dataValue: DataValue, namespaces: readonly string[]): boolean {
  const table: unknown = dataValue.value.value;
  // No value is no news: some servers do not let clients monitor the table.
  if (!Array.isArray(table)) return true;
  return table.length === namespaces.length && namespaces.every((uri, i) => table[i] === uri);
}

async function createItems(
  context: SubscribeContext,
  subscription: ClientSubscription,
  items: readonly Item[],
  from: number,
  to: number,
): Promise<void> {
  const { session, over } = context;
  const chunk = items.slice(from, to);
  const { results } = await session.createMonitoredItems({
    subscriptionId: subscription.subscriptionId,
    timestampsToReturn: TimestampsToReturn.Both,
    itemsToCreate: chunk.map((item, i) => itemToCreate(item.nodeId, from + i + 1, item.samplingMs, subscription.publishingInterval)),
  });
  over.throwIfAborted();
  chunk.forEach((item, i) => {
    const status = results?.[i]?.statusCode;
    if (status === undefined || status.isNotGood()) refuse(context, item.deviceId, item.tag, status?.name ?? 'no result');
  });
}

function itemToCreate(nodeId: string, clientHandle: number, samplingMs: number, publishingMs: number) {
  return {
    itemToMonitor: { nodeId: coerceNodeId(nodeId), attributeId: AttributeIds.Value },
    monitoringMode: MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle,
      samplingInterval: samplingMs,
      // Room for every sample of a publishing interval and one more, so that the server can tell an overflow.
      queueSize: Math.max(2, Math.ceil(publishingMs / samplingMs) + 1),
      discardOldest: true,
    },
  };
}
