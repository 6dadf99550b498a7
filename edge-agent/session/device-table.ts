import { outboxIdentityMetric } from '@nhip/core/wire/outbox-identity';
import { type DataType, dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { deviceProperties } from '@nhip/core/wire/vocabulary';
import type { DeviceConfig, MetricDefinition, Reading } from '../driver.ts';
import { fitsType, qualityProperties } from '../outbox/record.ts';

/** One metric with its alias; aliases are unique over the node and stable as long as the configuration is. */
interface Declared {
  readonly definition: MetricDefinition;
  readonly alias: number;
  readonly type: DataType;
}

export interface Device {
  readonly id: string;
  readonly metrics: ReadonlyMap<string, MetricDefinition>;
  readonly last: Map<string, Reading>;
  /** Undefined: nobody knows yet, because it was not asked since the start. */
  isOnline: boolean | undefined;
}

/** How a metric is sent: its alias and the type that the birth tells. */
export interface Alias {
  readonly alias: number;
  readonly type: DataType;
  /** Declared just now: a new birth is due. */
  readonly isNew: boolean;
}

/** Devices, their metrics and last values: what births are made of. */
export interface DeviceTable {
  /** `isAwaited`: somebody is about to ask it, and will say whether it answers; otherwise it is offline until then. */
  add(config: DeviceConfig, metrics: readonly MetricDefinition[], options?: { readonly isAwaited: boolean }): void;
  /**
   * Another configuration of a device, at run time: metrics that stay keep their alias and last value, online stays online. A new
   * DBIRTH is due. Adds the device, as one that is awaited, when it is unknown.
   */
  replace(config: DeviceConfig, metrics: readonly MetricDefinition[]): void;
  /** Forgets a device. Records of it that are still in the outbox declare it again when they are sent. */
  remove(id: string): void;
  get(id: string): Device | undefined;
  all(): Iterable<Device>;
  /** A metric of the configuration, by its name or its alias. */
  definition(deviceId: string, nameOrAlias: string | number): MetricDefinition | undefined;
  /** Alias of a metric. Declares it with `type` when it is unknown (a record older than the configuration). */
  alias(deviceId: string, name: string, type: DataType): Alias;
  /** The metrics of a DBIRTH: every metric that will ever be reported, with its last value or null (tck-id-topics-dbirth-metric-reqs). */
  birthMetrics(deviceId: string, nowMs: number): readonly Metric[];
}

export function createDeviceTable(): DeviceTable {
  const devices = new Map<string, Device & { readonly config: DeviceConfig; readonly declared: Map<string, Declared> }>();
  let nextAlias = 1;

  function declare(declared: Map<string, Declared>, definition: MetricDefinition): Declared {
    const entry = { definition, alias: nextAlias++, type: dataType[definition.dataType] };
    declared.set(definition.name, entry);
    return entry;
  }

  function add(config: DeviceConfig, metrics: readonly MetricDefinition[], { isAwaited } = { isAwaited: false }) {
    const declared = new Map<string, Declared>();
    for (const definition of metrics) declare(declared, definition);
    const device = {
      id: config.id,
      config,
      declared,
      metrics: new Map(metrics.map((definition) => [definition.name, definition])),
      last: new Map<string, Reading>(),
      isOnline: isAwaited ? undefined : false,
    };
    devices.set(config.id, device);
    return device;
  }

  return {
    add,
    replace(config, metrics) {
      const before = devices.get(config.id);
      if (before === undefined) {
        add(config, metrics, { isAwaited: true });
        return;
      }
      const declared = new Map<string, Declared>();
      for (const definition of metrics) {
        const alias = before.declared.get(definition.name)?.alias;
        if (alias === undefined) declare(declared, definition);
        else declared.set(definition.name, { definition, alias, type: dataType[definition.dataType] });
      }
      const names = new Map(metrics.map((definition) => [definition.name, definition]));
      for (const name of before.last.keys()) if (!names.has(name)) before.last.delete(name);
      devices.set(config.id, { id: config.id, config, declared, metrics: names, last: before.last, isOnline: before.isOnline });
    },
    remove: (id) => void devices.delete(id),
    get: (id) => devices.get(id),
    all: () => devices.values(),
    definition(deviceId, nameOrAlias) {
      const device = devices.get(deviceId);
      if (typeof nameOrAlias === 'string') return device?.metrics.get(nameOrAlias);
      if (device === undefined) return undefined;
      const declared = [...device.declared.values()].find(({ alias }) => alias === nameOrAlias);
      return declared === undefined ? undefined : device.metrics.get(declared.definition.name);
    },
    alias(deviceId, name, type) {
      const device = devices.get(deviceId) ?? add({ id: deviceId, intervalMs: 0 }, []);
      const known = device.declared.get(name);
      if (known !== undefined) return { alias: known.alias, type: known.type, isNew: false };
      const typeName = (Object.keys(dataType) as (keyof typeof dataType)[]).find((key) => dataType[key] === type) ?? 'String';
      const declared = declare(device.declared, { name, dataType: typeName });
      return { alias: declared.alias, type: declared.type, isNew: true };
    },
    birthMetrics(deviceId, nowMs) {
      const device = devices.get(deviceId);
      if (device === undefined) return [];
      const metrics: Metric[] = [
        { name: outboxIdentityMetric, timestampMs: nowMs, dataType: dataType.Bytes, value: null },
        ...propertyMetrics(device.config, nowMs),
      ];
      for (const { definition, alias, type } of device.declared.values()) {
        const reading = device.last.get(definition.name);
        const metric: Metric = {
          name: definition.name,
          alias,
          timestampMs: reading === undefined ? nowMs : Math.max(0, Math.floor(reading.timestampMs)),
          dataType: type,
          value: reading?.value ?? null,
          properties: {
            ...(definition.unit === undefined ? {} : { engUnit: { type: dataType.String, value: definition.unit } }),
            ...(reading === undefined ? {} : qualityProperties(reading.quality)),
          },
        };
        // One value that does not fit its type must not cost the whole birth.
        metrics.push(fitsType(metric) ? metric : { ...metric, value: null });
      }
      // Sparkplug wants values in the order of their times (tck-id-operational-behavior-data-publish-dbirth-order).
      return metrics.sort((a, b) => (a.timestampMs ?? nowMs) - (b.timestampMs ?? nowMs));
    },
  };
}

function propertyMetrics(config: DeviceConfig, timestampMs: number): readonly Metric[] {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    [deviceProperties.displayName, config.displayName],
    [deviceProperties.kind, config.kind],
    [deviceProperties.line, config.line],
    [deviceProperties.profile, config.profile],
  ];
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [{ name, timestampMs, dataType: dataType.String, value }]));
}
