import type { LogRecord } from '../../log/log-bus.ts';
import { encodeLossReport, type LossReport } from '../../wire/loss.ts';
import { encodeIdentity, outboxIdentityMetric, outboxLossMetric, outboxReleasedMetric } from '../../wire/outbox-identity.ts';
import type { Value } from '../../wire/sample.ts';
import { dataType } from '../../wire/sparkplug/datatype.ts';
import { encodePayload } from '../../wire/sparkplug/encode.ts';
import type { Metric } from '../../wire/sparkplug/payload.ts';
import { type MessageType, sparkplugTopic } from '../../wire/topic.ts';
import { encodeLogMessage } from '../log-record.ts';
import type { SampleBatch } from '../sample-batch.ts';

/** Log records as the broker writes them, made with the real encoders. For tests. */

/** When messages of tests come, ms UTC: 2026-05-04 08:00. */
export const arrivalMs = 1_777_881_600_000;

export function logRecord(index: number, topic: string, payload: Uint8Array | string, receivedMs = arrivalMs): LogRecord {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const [, group = '', second = '', third = ''] = topic.split('/');
  const sender = `${group}/${topic.startsWith('json/') ? second : third}`;
  return { index, payload: encodeLogMessage({ receivedMs, sender, topic, payload: bytes }) };
}

/** One Sparkplug message of edge g/e. `seq` undefined: none, as in NDEATH. */
export function sparkplug(
  index: number,
  type: MessageType,
  device: string,
  seq: number | undefined,
  metrics: readonly Metric[],
  options: { readonly timestampMs?: number; readonly receivedMs?: number; readonly edge?: string } = {},
): LogRecord {
  const payload = encodePayload({ timestampMs: options.timestampMs ?? arrivalMs, seq, metrics });
  return logRecord(index, sparkplugTopic('g', type, options.edge ?? 'e', device), payload, options.receivedMs);
}

export function bdSeq(value: number): Metric {
  return { name: 'bdSeq', dataType: dataType.Int64, value };
}

/** Declares the outbox identity in a birth. */
export function identityDeclaration(alias: number): Metric {
  return { name: outboxIdentityMetric, alias, dataType: dataType.Bytes, value: null };
}

/** The outbox identity in DATA: stream `stream` (one byte repeated), first number `seq`. */
export function identity(alias: number, stream: number, seq: number): Metric {
  return { alias, dataType: dataType.Bytes, value: encodeIdentity(new Uint8Array(16).fill(stream), seq) };
}

/** The same by name, as our edge sends it. */
export function namedIdentity(stream: number, seq: number): Metric {
  return { name: outboxIdentityMetric, dataType: dataType.Bytes, value: encodeIdentity(new Uint8Array(16).fill(stream), seq) };
}

/** Everything of `stream` below `seq` was acknowledged. */
export function released(stream: number, seq: number): Metric {
  return { name: outboxReleasedMetric, dataType: dataType.Bytes, value: encodeIdentity(new Uint8Array(16).fill(stream), seq) };
}

export function lossReport(report: LossReport): Metric {
  return { name: outboxLossMetric, dataType: dataType.String, value: encodeLossReport(report) };
}

/** Stream id as text, as a report names it. */
export function streamId(stream: number): string {
  return stream.toString(16).padStart(2, '0').repeat(16);
}

export interface Row {
  readonly machine: string;
  readonly metric: string;
  readonly t: number;
  readonly tick: number;
  readonly v: Value;
  readonly q: number;
  readonly historical: boolean;
}

/** The samples of a batch as objects. */
export function rowsOf(batch: SampleBatch): readonly Row[] {
  return Array.from({ length: batch.length }, (_, i) => ({
    ...batch.series.at(batch.seriesId[i] as number),
    t: batch.timeMs[i] as number,
    tick: batch.tick[i] as number,
    v: batch.value(i),
    q: batch.quality[i] as number,
    historical: batch.historical[i] === 1,
  }));
}
