import type { Value } from '../wire/sample.ts';
import { isDataSet, isTemplate, type SparkplugValue } from '../wire/sparkplug/payload.ts';
import { formatTime } from '../wire/time.ts';
import type { DecoderLimits, Outcome } from './outcome.ts';
import type { RejectReason } from './rejects.ts';
import type { SampleBatch } from './sample-batch.ts';

/** The last millisecond that a calendar knows (ECMA-262, time values). */
const latestTimeMs = 8.64e15;

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
    readonly place: number;
    readonly timestampMs: number;
    readonly tick: number;
    readonly value: SparkplugValue;
    readonly quality: number;
    readonly isHistorical: boolean;
  },
): void {
  const { timestampMs, value } = sample;
  const reject = (reason: RejectReason, what: string, timeMs: number): void => {
    const { machine, metric } = batch.series.at(sample.seriesId);
    outcome.rejects.addSample(reason, `${metric} ${what}`, { machine, metric, timeMs, place: sample.place });
  };
  const isInTime = timestampMs <= receivedMs + limits.maxFutureMs && timestampMs >= receivedMs - limits.maxAgeMs;
  if (!isInTime || Math.abs(timestampMs) > latestTimeMs) {
    reject('timestampOutOfRange', `at ${formatTime(timestampMs)}`, receivedMs);
    return;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    reject('notANumber', `is ${value}`, timestampMs);
    return;
  }
  const scalar = toScalar(value);
  if (scalar === undefined) reject('unsupportedType', 'carries bytes or a template', timestampMs);
  else batch.push(sample.seriesId, timestampMs, sample.tick, scalar, sample.quality, sample.isHistorical);
}

function toScalar(value: SparkplugValue): Value | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array || isTemplate(value)) return undefined;
  return JSON.stringify(isDataSet(value) ? { columns: value.columns, rows: value.rows } : value, (_, item) =>
    typeof item === 'bigint' ? item.toString() : item,
  );
}
