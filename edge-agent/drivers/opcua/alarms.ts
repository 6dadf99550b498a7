import { type Quality, quality, type Value } from '@nhip/core/wire/sample';
import {
  AttributeIds,
  type ClientSubscription,
  coerceNodeId,
  DataType,
  EventFilter,
  MonitoringMode,
  NodeId,
  TimestampsToReturn,
  Variant,
} from 'node-opcua-client';
import type { Reading } from '../../driver.ts';
import type { Refusals } from './items.ts';
import { faultOf } from './limits.ts';
import type { Link } from './link.ts';
import type { ResolvedNode } from './node-ids.ts';
import { plainValue } from './plain-value.ts';
import { conditionMetrics } from './tags.ts';

/**
 * Alarms and conditions (OPC UA Part 9): the events of configured notifiers become metrics of configured conditions.
 *
 * After every connection the server is asked to say again which conditions are retained (ConditionRefresh); a condition that it does
 * not name then is not active. A condition is active when one of its instances is: several sources may have one of the same name.
 */
export interface Alarms {
  readonly isNeeded: boolean;
  follow(subscription: ClientSubscription): Promise<void>;
  /** The selected fields of an event of the notifier with this client handle. */
  event(clientHandle: number, fields: readonly Variant[]): void;
}

interface Notifier {
  readonly deviceId: string;
  readonly node: string;
  readonly nodeId: string;
  readonly conditions: readonly Condition[];
  isRefreshing: boolean;
}

interface Condition {
  readonly name: string;
  readonly source: string | undefined;
  readonly metrics: ReturnType<typeof conditionMetrics>;
  /** Instances that are active, by their node id. */
  readonly active: Set<string>;
  /** Instances that the running refresh has named. */
  readonly named: Set<string>;
}

const baseEventType = 'ns=0;i=2041';
const conditionType = 'ns=0;i=2782';
const alarmConditionType = 'ns=0;i=2915';
const conditionRefreshMethod = 'ns=0;i=3875';
const refreshStartEvent = 'ns=0;i=2787';
const refreshEndEvent = 'ns=0;i=2788';
const refreshRequiredEvent = 'ns=0;i=2789';
const queueOverflowEvent = 'ns=0;i=3035';

const selectClauses = [
  [baseEventType, ['EventType']],
  [baseEventType, ['SourceName']],
  [baseEventType, ['Time']],
  [baseEventType, ['Message']],
  [baseEventType, ['Severity']],
  [conditionType, ['ConditionName']],
  [conditionType, ['BranchId']],
  [conditionType, ['Retain']],
  [alarmConditionType, ['ActiveState', 'Id']],
  // No path: the condition itself (Part 9 §5.5.2.13).
  [conditionType, []],
] as const;

const eventsPerPublish = 1_000;
const maxInstances = 1_000;
const maxMessageLength = 500;
/** A server that loses events again and again is not asked for all of them each time. */
const refreshPauseMs = 10_000;

export function createAlarms(link: Link, nodes: ReadonlyMap<string, ResolvedNode>, refusals: Refusals, firstHandle: number): Alarms {
  const { session, config, deps, over, emit } = link;
  const notifiers: Notifier[] = [];
  let refresh: () => void = () => {};
  let refreshedMs = Number.NEGATIVE_INFINITY;

  for (const { id: deviceId, events } of config.devices) {
    for (const { node, conditions: configured } of events) {
      const found = nodes.get(node) ?? { reason: 'the node was not looked up' };
      const conditions = configured.map((each) => ({
        name: each.condition,
        source: each.source,
        metrics: conditionMetrics(each),
        active: new Set<string>(),
        named: new Set<string>(),
      }));
      if ('nodeId' in found) notifiers.push({ deviceId, node, nodeId: found.nodeId, conditions, isRefreshing: false });
      else refusals.refuse(deviceId, node, conditions.flatMap(metricsOfCondition), found.reason);
    }
  }

  const tell = (deviceId: string, { metrics }: Condition, of: Told): void => {
    const { active, message, severity, timestampMs } = of;
    const reading = (metric: string, value: Value): Reading => ({ metric, value, timestampMs, quality: of.quality ?? quality.good });
    emit(deviceId, [reading(metrics.active, active), reading(metrics.message, message), reading(metrics.severity, severity)]);
  };

  const onRefreshEnd = (notifier: Notifier): void => {
    if (!notifier.isRefreshing) return;
    notifier.isRefreshing = false;
    for (const condition of notifier.conditions) {
      const isNews = condition.named.size === 0;
      for (const instance of condition.active) if (!condition.named.has(instance)) condition.active.delete(instance);
      condition.named.clear();
      // A condition that nothing was said about is not active.
      if (isNews) tell(notifier.deviceId, condition, { active: false, message: null, severity: null, timestampMs: deps.clock.now() });
    }
  };

  const onCondition = ({ deviceId, conditions, isRefreshing }: Notifier, fields: readonly Variant[]): void => {
    const [, source, time, message, severity, name, branch, retain, activeState, conditionId] = fields;
    // A branch is an earlier state that waits for an acknowledgement.
    if (branch?.value instanceof NodeId && !branch.value.isEmpty()) return;
    const instance = String(conditionId?.value ?? source?.value ?? '');
    const isActive = typeof activeState?.value === 'boolean' ? activeState.value : retain?.value === true;
    for (const condition of conditions) {
      if (condition.name !== name?.value || (condition.source !== undefined && condition.source !== source?.value)) continue;
      if (isActive && condition.active.size < maxInstances) condition.active.add(instance);
      else condition.active.delete(instance);
      if (isRefreshing && condition.named.size < maxInstances) condition.named.add(instance);
      const text = plainValue(message?.value, DataType.LocalizedText);
      tell(deviceId, condition, {
        active: condition.active.size > 0,
        message: typeof text === 'string' ? text.slice(0, maxMessageLength) : null,
        severity: typeof severity?.value === 'number' ? severity.value : null,
        timestampMs: time?.value instanceof Date && time.value.getTime() > 0 ? time.value.getTime() : deps.clock.now(),
      });
    }
  };

  const refuse = (notifier: Notifier, reason: string): void =>
    refusals.refuse(notifier.deviceId, notifier.node, notifier.conditions.flatMap(metricsOfCondition), reason);

  const callRefresh = async (subscriptionId: number): Promise<void> => {
    refreshedMs = deps.clock.monotonic();
    const reason = await session
      .call({
        objectId: coerceNodeId(conditionType),
        methodId: coerceNodeId(conditionRefreshMethod),
        inputArguments: [new Variant({ dataType: DataType.UInt32, value: subscriptionId })],
      })
      .then(({ statusCode }) => (statusCode.isNotGood() ? statusCode.name : undefined))
      .catch((error: unknown) => faultOf(error) ?? 'no answer');
    if (over.aborted || reason === undefined || reason === 'BadRefreshInProgress') return;
    deps.log.warn({ reason }, 'The server does not tell which alarms are active; an alarm is known after its next change.');
    for (const { deviceId, conditions } of notifiers) {
      for (const condition of conditions) {
        const unknown = { active: null, message: null, severity: null, timestampMs: deps.clock.now(), quality: quality.bad };
        if (condition.active.size === 0) tell(deviceId, condition, unknown);
      }
    }
  };

  return {
    isNeeded: notifiers.length > 0,

    follow: async (subscription) => {
      const { subscriptionId } = subscription;
      const { results } = await session.createMonitoredItems({
        subscriptionId,
        timestampsToReturn: TimestampsToReturn.Both,
        itemsToCreate: notifiers.map(({ nodeId }, i) => eventItem(nodeId, firstHandle + i)),
      });
      over.throwIfAborted();
      notifiers.forEach((notifier, i) => {
        const status = results?.[i]?.statusCode;
        if (status === undefined || status.isNotGood()) refuse(notifier, status?.name ?? 'no result');
      });
      refresh = () => {
        if (deps.clock.monotonic() - refreshedMs >= refreshPauseMs) void callRefresh(subscriptionId);
      };
      await callRefresh(subscriptionId);
    },

    event: (clientHandle, fields) => {
      const notifier = notifiers[clientHandle - firstHandle];
      if (notifier === undefined) return;
      const eventType = String(fields[0]?.value ?? '');
      if (eventType === refreshStartEvent) {
        notifier.isRefreshing = true;
        for (const { named } of notifier.conditions) named.clear();
      } else if (eventType === refreshEndEvent) onRefreshEnd(notifier);
      else if (eventType === refreshRequiredEvent || eventType === queueOverflowEvent) refresh();
      else onCondition(notifier, fields);
    },
  };
}

interface Told {
  readonly active: boolean | null;
  readonly message: string | null;
  readonly severity: number | null;
  readonly timestampMs: number;
  readonly quality?: Quality;
}

function metricsOfCondition({ metrics }: Condition): readonly string[] {
  return [metrics.active, metrics.message, metrics.severity];
}

function eventItem(nodeId: string, clientHandle: number) {
  return {
    itemToMonitor: { nodeId: coerceNodeId(nodeId), attributeId: AttributeIds.EventNotifier },
    monitoringMode: MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle,
      samplingInterval: 0,
      queueSize: eventsPerPublish,
      discardOldest: true,
      filter: new EventFilter({
        selectClauses: selectClauses.map(([typeDefinition, path]) => ({
          typeDefinitionId: coerceNodeId(typeDefinition),
          browsePath: path.map((name) => ({ namespaceIndex: 0, name })),
          attributeId: path.length === 0 ? AttributeIds.NodeId : AttributeIds.Value,
        })),
      }),
    },
  };
}
