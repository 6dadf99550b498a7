import type { DeviceConfig, MetricDefinition, Reading } from '@nhip/edge-agent/driver';
import type { Journal } from './journal.ts';

/** A machine at an edge: what it reports and how often. */
export interface SourceDevice {
  readonly id: string;
  readonly intervalMs: number;
  readonly metrics: readonly SourceMetric[];
}

export interface SourceMetric {
  readonly name: string;
  readonly dataType: 'Double' | 'Int32' | 'Int64' | 'String';
  /** Readings of one poll. */
  readonly perPoll: number;
  /** Text is filled up to this length. */
  readonly textBytes: number;
}

/** What a source may do besides counting, once each. */
export type Oddity = 'nan' | 'unfit' | 'huge';

export function deviceConfig(device: SourceDevice): DeviceConfig {
  return { id: device.id, intervalMs: device.intervalMs };
}

export function definitionsOf(device: SourceDevice): readonly MetricDefinition[] {
  return device.metrics.map(({ name, dataType }) => ({ name, dataType }));
}

/**
 * One poll: every metric counts on. The journal has the count, whatever becomes of it on the wire; `wallMs` is the edge's clock,
 * `atMs` the true time.
 */
export function poll(
  edge: string,
  device: SourceDevice,
  times: { wallMs: number; atMs: number },
  odd: Oddity | undefined,
  journal: Journal,
): Reading[] {
  const readings: Reading[] = [];
  for (const metric of device.metrics) {
    const series = `${edge}/${device.id} ${metric.name}`;
    for (let i = 0; i < metric.perPoll; i++) {
      const count = journal.next(series);
      journal.serve({ series, value: count, atMs: times.atMs });
      readings.push({
        metric: metric.name,
        value: shownValue(metric, count, readings.length === 0 ? odd : undefined),
        timestampMs: times.wallMs,
        quality: 192,
      });
    }
  }
  return readings;
}

function shownValue({ dataType, textBytes }: SourceMetric, count: number, odd: Oddity | undefined): Reading['value'] {
  if (dataType === 'String') return odd === 'unfit' ? count : `${count} `.padEnd(odd === 'huge' ? 100_000 : textBytes, '.');
  if (dataType === 'Double') return odd === 'nan' ? Number.NaN : count;
  if (odd === 'unfit') return count + 0.5;
  return dataType === 'Int64' ? BigInt(count) : count;
}

/** The count that a stored text stands for; undefined when it is none. */
export function countOf(text: string): number | undefined {
  const count = Number.parseInt(text, 10);
  return Number.isNaN(count) ? undefined : count;
}
