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
  isOnline: boolean;
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
  add(config: DeviceConfig, metrics: readonly MetricDefinition[]): void;
  get(id: string): Device | undefined;
  all(): Iterable<Device>;
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

  function add(config: DeviceConfig, metrics: readonly MetricDefinition[]) {
    const declared = new Map<string, Declared>();
    for (const definition of metrics) declare(declared, definition);
    const device = {
      id: config.id,
      config,
      declared,
      metrics: new Map(metrics.map((definition) => [definition.name, definition])),
      last: new Map<string, Reading>(),
      isOnline: false,
    };
    devices.set(config.id, device);
    return device;
  }

  return {
    add,
    get: (id) => devices.get(id),
    all: () => devices.values(),
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
      return metrics;
    },
  };
}

function propertyMetrics(config: DeviceConfig, timestampMs: number): readonly Metric[] {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    [deviceProperties.displayName, config.displayName],
    [deviceProperties.kind, config.kind],
    [deviceProperties.line, config.line],
  ];
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [{ name, timestampMs, dataType: dataType.String, value }]));
}
