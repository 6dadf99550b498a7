import {
  AttributeIds,
  type ClientSubscription,
  coerceNodeId,
  DataChangeFilter,
  DataChangeTrigger,
  DeadbandType,
  type ExtensionObject,
  MonitoringMode,
  type StatusCode,
  TimestampsToReturn,
} from 'node-opcua-client';
import type { Item, Refusals } from './items.ts';
import { inChunks } from './limits.ts';
import type { Link, Session } from './link.ts';

/** Creates monitored items on the session: the library's own items come in one request however many there are. */

export interface ItemsToCreate {
  readonly link: Link;
  readonly refusals: Refusals;
  readonly perCall: number;
  /** All items of the session: the client handle of an item is its place here plus one. */
  readonly handles: ReadonlyMap<Item, number>;
  /** Whether the server applies deadbands; set to false by the first refusal, so that it is tried once. */
  readonly filters: { isSupported: boolean };
  /** Called after each request. */
  created(): Promise<void>;
}

/** How servers say that they have no deadband, or not for this node. */
const filterRefusals: ReadonlySet<string> = new Set([
  'BadMonitoredItemFilterUnsupported',
  'BadMonitoredItemFilterInvalid',
  'BadFilterNotAllowed',
  'BadDeadbandFilterInvalid',
  'BadNotSupported',
]);

/** Items that the server refuses are reported as bad; the others are not affected. */
export async function createMonitoredItems(
  { link, refusals, perCall, handles, filters, created }: ItemsToCreate,
  subscription: ClientSubscription,
  items: readonly Item[],
): Promise<void> {
  const { session, over } = link;
  const create = async (chunk: readonly Item[], isFiltered: boolean): Promise<readonly (StatusCode | undefined)[]> => {
    const { results } = await session.createMonitoredItems({
      subscriptionId: subscription.subscriptionId,
      timestampsToReturn: TimestampsToReturn.Both,
      itemsToCreate: chunk.map((item) =>
        itemToCreate(item.nodeId, handles.get(item) ?? 0, item.samplingMs, subscription.publishingInterval, {
          filter: isFiltered ? deadbandFilter(item) : null,
        }),
      ),
    });
    over.throwIfAborted();
    return chunk.map((_, i) => results?.[i]?.statusCode);
  };

  await inChunks(items, perCall, async (chunk) => {
    const isFiltered = filters.isSupported && chunk.some((item) => item.deadband > 0);
    const statuses = await create(chunk, isFiltered);
    const unfiltered: Item[] = [];
    chunk.forEach((item, i) => {
      const status = statuses[i];
      if (status !== undefined && !status.isNotGood()) return;
      if (isFiltered && item.deadband > 0 && filterRefusals.has(status?.name ?? '')) unfiltered.push(item);
      else refuse(refusals, item, status);
    });
    if (unfiltered.length === 0) return created();
    if (unfiltered.length === chunk.filter((item) => item.deadband > 0).length) filters.isSupported = false;
    const again = await create(unfiltered, false);
    unfiltered.forEach((item, i) => {
      const status = again[i];
      if (status === undefined || status.isNotGood()) refuse(refusals, item, status);
    });
    await created();
  });
}

function refuse(refusals: Refusals, { deviceId, node, metrics }: Item, status: StatusCode | undefined): void {
  refusals.refuse(
    deviceId,
    node,
    metrics.map(({ metric }) => metric),
    status?.name ?? 'no result',
  );
}

function deadbandFilter({ deadband }: Item): ExtensionObject | null {
  if (deadband <= 0) return null;
  return new DataChangeFilter({ trigger: DataChangeTrigger.StatusValue, deadbandType: DeadbandType.Absolute, deadbandValue: deadband });
}

/** Monitors one value of the server beside the items of the config; its refusal is no error. */
export async function monitorValue(
  session: Session,
  subscription: ClientSubscription,
  nodeId: string,
  clientHandle: number,
): Promise<void> {
  const { subscriptionId, publishingInterval } = subscription;
  await session.createMonitoredItems({
    subscriptionId,
    timestampsToReturn: TimestampsToReturn.Neither,
    itemsToCreate: [itemToCreate(nodeId, clientHandle, publishingInterval, publishingInterval, { filter: null })],
  });
}

function itemToCreate(
  nodeId: string,
  clientHandle: number,
  samplingMs: number,
  publishingMs: number,
  { filter }: { readonly filter: ExtensionObject | null },
) {
  return {
    itemToMonitor: { nodeId: coerceNodeId(nodeId), attributeId: AttributeIds.Value },
    monitoringMode: MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle,
      samplingInterval: samplingMs,
      filter,
      // Room for every sample of a publishing interval and one more, so that the server can tell an overflow.
      queueSize: Math.max(2, Math.ceil(publishingMs / samplingMs) + 1),
      discardOldest: true,
    },
  };
}
