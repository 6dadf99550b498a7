import type { Value } from '../wire/sample.ts';
import { isDataSet, isTemplate, type SparkplugValue } from '../wire/sparkplug/payload.ts';
import { formatTime } from '../wire/time.ts';
import { addReject, type DecoderLimits, type Outcome } from './outcome.ts';
import type { SampleBatch } from './sample-batch.ts';

/**
 * Pushes one decoded value as a sample, or a reject: times outside the limits, NaN and infinities, bytes.
 * Arrays and data sets become JSON text, so that nothing that arrived is dropped.
 */
export function pushValue(
  batch: SampleBatch,
  outcome: Outcome,
  limits: DecoderLimits,
  receivedMs: number,
  sample: {
    readonly seriesId: number;
    readonly name: string;
    readonly timestampMs: number;
    readonly tick: number;
    readonly value: SparkplugValue;
    readonly quality: number;
    readonly isHistorical: boolean;
  },
): void {
  const { timestampMs, value } = sample;
  if (!(timestampMs <= receivedMs + limits.maxFutureMs && timestampMs >= receivedMs - limits.maxAgeMs)) {
    addReject(outcome, 'timestampOutOfRange', `${sample.name} at ${formatTime(timestampMs)}`);
    return;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    addReject(outcome, 'notANumber', `${sample.name} is ${value}`);
    return;
  }
  const scalar = toScalar(value);
  if (scalar === undefined) {
    addReject(outcome, 'unsupportedType', `${sample.name} carries bytes or a template`);
    return;
  }
  batch.push(sample.seriesId, timestampMs, sample.tick, scalar, sample.quality, sample.isHistorical);
}

function toScalar(value: SparkplugValue): Value | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array || isTemplate(value)) return undefined;
  return JSON.stringify(isDataSet(value) ? { columns: value.columns, rows: value.rows } : value, (_, item) =>
    typeof item === 'bigint' ? item.toString() : item,
  );
}
