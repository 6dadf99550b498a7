import { encodeIdentity, outboxIdentityMetric } from '@nhip/core/wire/outbox-identity';
import type { DataType } from '@nhip/core/wire/sparkplug/datatype';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import type { OutboxRecord } from '../outbox/record.ts';
import type { Alias } from '../session/device-table.ts';

/**
 * The DDATA of a record; `declared` are the aliases of its metrics, in order. A type that the birth tells differently (another
 * configuration wrote the record) goes along. The identity goes by name: the server must know the numbers also of a message whose
 * birth it missed.
 */
export function encodeDeviceData(
  record: OutboxRecord,
  declared: readonly Alias[],
  options: { readonly seq: number; readonly timestampMs: number; readonly isHistorical: boolean },
): Uint8Array {
  const { seq, timestampMs, isHistorical } = options;
  const identity = {
    name: outboxIdentityMetric,
    // Not after the first sample: Sparkplug wants the values of a message in the order of their times.
    timestampMs: record.metrics[0]?.timestampMs ?? timestampMs,
    isHistorical: isHistorical || record.metrics.every((metric) => metric.isHistorical === true) || undefined,
    value: encodeIdentity(record.stream, record.seq),
  };
  const metrics: Metric[] = [identity];
  const types = new Map<Metric, DataType>();
  record.metrics.forEach((metric, i) => {
    const type = metric.dataType ?? dataType.Double;
    const sent: Metric = {
      alias: declared[i]?.alias,
      timestampMs: metric.timestampMs,
      dataType: declared[i]?.type === type ? undefined : type,
      isHistorical: isHistorical || metric.isHistorical || undefined,
      value: metric.value,
      properties: metric.properties,
    };
    types.set(sent, type);
    metrics.push(sent);
  });
  return encodePayload({ timestampMs, seq, metrics }, (metric) => types.get(metric) ?? dataType.Bytes);
}
