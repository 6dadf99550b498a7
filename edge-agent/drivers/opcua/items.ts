import { quality } from '@nhip/core/wire/sample';
import { isReportedUnreduced } from '@nhip/core/wire/vocabulary';
import type { DataValue } from 'node-opcua-client';
import type { DriverDeps, Reading } from '../../driver.ts';
import type { OpcuaConfig, OpcuaDeviceConfig, OpcuaTagConfig } from './config.ts';
import type { Link } from './link.ts';
import type { ResolvedNode } from './node-ids.ts';
import { metricsOf } from './tags.ts';
import { createValueReader, timestampOf } from './values.ts';

/** One value that the server samples, and the metrics that come of it: several when they are elements or fields of it. */
export interface Item {
  readonly deviceId: string;
  /** As the config names it: the same in every session. */
  readonly node: string;
  /** Valid in this session only. */
  readonly nodeId: string;
  readonly samplingMs: number;
  /** In the server's unit; 0 = every change. */
  readonly deadband: number;
  readonly metrics: readonly ItemMetric[];
  /** Structures arrive as bytes and take a look-up of their type. */
  readonly isStructure: boolean;
  readonly history: OpcuaTagConfig['history'];
}

export interface ItemMetric {
  readonly tag: OpcuaTagConfig;
  readonly metric: string;
  read(dataValue: DataValue): Reading;
}

/** All node names of a config. */
export function nodeNamesOf(config: OpcuaConfig): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { tags, events } of config.devices) {
    for (const { node } of tags) names.add(node);
    for (const { node } of events) names.add(node);
  }
  return names;
}

/** Tells of nodes that cannot be had: the first ones by name, the others by number, so that a large mistake is no large log. */
export interface Refusals {
  /** The metrics are bad from now on. */
  refuse(deviceId: string, node: string, metrics: readonly string[], reason: string): void;
  /** Says how many there were beyond the ones that were named. */
  summarize(): void;
}

const namedRefusals = 20;

export function createRefusals({ deps, emit }: Link): Refusals {
  let count = 0;
  return {
    refuse: (deviceId, node, metrics, reason) => {
      count++;
      if (count <= namedRefusals)
        deps.log.warn(
          { device: deviceId, metrics: metrics.slice(0, 5), node, reason },
          'The node cannot be followed and is reported as bad.',
        );
      const timestampMs = deps.clock.now();
      emit(
        deviceId,
        metrics.map((metric) => ({ metric, value: null, timestampMs, quality: quality.bad })),
      );
    },
    summarize: () => {
      if (count > namedRefusals) deps.log.warn({ nodes: count - namedRefusals }, 'More nodes cannot be followed and are reported as bad.');
    },
  };
}

/** The items of all tags whose node is known; the others are refused. */
export function createItems({ config, deps }: Link, nodes: ReadonlyMap<string, ResolvedNode>, { refuse }: Refusals): readonly Item[] {
  const items = new Map<string, Item & { readonly metrics: ItemMetric[] }>();
  for (const device of config.devices) {
    for (const tag of device.tags) {
      const node = nodes.get(tag.node) ?? { reason: 'the node was not looked up' };
      const metrics = metricsOf(tag);
      if ('reason' in node) {
        refuse(
          device.id,
          tag.node,
          metrics.map(({ metric }) => metric),
          node.reason,
        );
        continue;
      }
      const item = createItem(device, tag, node.nodeId);
      const readers = metrics.map(({ metric, element }) => createItemMetric(device.id, tag, metric, element, deps));
      // Parts of one value are one item: the server sends the whole array or structure anyway.
      const isPart = tag.field !== undefined || tag.element !== undefined || tag.elements !== undefined;
      const key = isPart ? `${device.id}\n${tag.node}\n${item.samplingMs}\n${item.isStructure}` : String(items.size);
      const same = items.get(key);
      if (same === undefined) items.set(key, { ...item, metrics: readers });
      else same.metrics.push(...readers);
    }
  }
  return [...items.values()];
}

function createItem(device: OpcuaDeviceConfig, tag: OpcuaTagConfig, nodeId: string): Omit<Item, 'metrics'> {
  return {
    deviceId: device.id,
    node: tag.node,
    nodeId,
    samplingMs: tag.intervalMs ?? device.intervalMs,
    // Derived tags want every value that there was.
    deadband: (device.derived ?? []).length > 0 ? 0 : serverDeadband(tag),
    isStructure: tag.field !== undefined,
    history: tag.history,
  };
}

const integerOrFloat = /^(U?Int\d+|Float|Double)$/;

/**
 * A deadband that the server may apply, in its unit: only where the host would do the same, which needs the value that is reported
 * to be the server's value. 0 = none.
 */
function serverDeadband(tag: OpcuaTagConfig): number {
  const { deadband = 0, enum: texts, element, elements, field, dataType, metric, swingingDoor, publish } = tag;
  const isWhole = element === undefined && elements === undefined && field === undefined && texts === undefined;
  const isThinned = integerOrFloat.test(dataType) && !isReportedUnreduced(metric) && swingingDoor === undefined && publish !== false;
  return isWhole && isThinned ? deadband / Math.abs(tag.scale) : 0;
}

function createItemMetric(
  deviceId: string,
  tag: OpcuaTagConfig,
  metric: string,
  element: number | undefined,
  { clock, log }: DriverDeps,
): ItemMetric {
  const readValue = createValueReader(tag, element);
  let told = false;
  return {
    tag,
    metric,
    read: (dataValue) => {
      const { value, quality: valueQuality, problem } = readValue(dataValue);
      if (problem !== undefined && !told) {
        told = true;
        log.warn(
          { device: deviceId, metric, node: tag.node, dataType: tag.dataType, problem },
          'The value does not fit the tag and is reported as bad.',
        );
      }
      return { metric, value, timestampMs: timestampOf(dataValue, clock.now()), quality: valueQuality };
    },
  };
}
