import { machineId, quality, type Value } from '../wire/sample.ts';
import { parseTime } from '../wire/time.ts';
import type { JsonTopic } from '../wire/topic.ts';
import { WireError } from '../wire/wire-error.ts';
import type { LogMessage } from './log-record.ts';
import { pushValue } from './normalise.ts';
import { type DecoderLimits, firstTickOf, type Outcome, tickModulus } from './outcome.ts';
import type { SampleBatch } from './sample-batch.ts';

const maxDepth = 4;
const maxMetrics = 10_000;
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The JSON lane: `{"ts": <ms or ISO 8601>, "values": {"Temp/Oil": 61.2, …}}` on json/<group>/<edge>/<device>, or a bare
 * value on json/<group>/<edge>/<device>/<metric>. Nested objects flatten with `/`; arrays are kept as JSON text.
 * Without `ts` the time of arrival counts. Throws WireError when the payload is not such JSON.
 */
export function decodeJson(
  topic: JsonTopic,
  message: LogMessage,
  index: number,
  batch: SampleBatch,
  limits: DecoderLimits,
  outcome: Outcome,
): void {
  const body = parse(message.payload);
  const { values, timestampMs } = topic.metric === '' ? envelope(body, message.receivedMs) : single(body, topic.metric, message.receivedMs);
  const machine = machineId(topic.group, topic.edge, topic.device);
  outcome.firstTick = firstTickOf(index);
  let count = 0;
  const visit = (name: string, value: unknown, depth: number): void => {
    if (isObject(value)) {
      if (depth >= maxDepth) throw new WireError('wire.tooLarge', `values are nested deeper than ${maxDepth}`);
      for (const [key, inner] of Object.entries(value)) visit(name === '' ? key : `${name}/${key}`, inner, depth + 1);
      return;
    }
    const place = count++;
    if (count > maxMetrics) throw new WireError('wire.tooLarge', `more than ${maxMetrics} values in one message`);
    if (name === '' || name.length > 256) throw new WireError('wire.malformed', 'a metric name is empty or longer than 256');
    const metric = wellFormed(name);
    const seriesId = batch.series.idWithin(machine, metric, limits.maxSeriesPerEdge);
    if (seriesId < 0) {
      const detail = `${metric} of ${machine}: the edge has ${limits.maxSeriesPerEdge} series already`;
      outcome.rejects.addSample('tooManySeries', detail, { machine, metric, timeMs: message.receivedMs, place });
      return;
    }
    pushValue(batch, outcome, limits, message.receivedMs, {
      seriesId,
      place,
      timestampMs,
      tick: (outcome.firstTick + place) % tickModulus,
      value: scalarOf(value),
      quality: quality.good,
      isHistorical: false,
    });
  };
  visit('', values, 0);
}

function parse(payload: Uint8Array): unknown {
  let text: string;
  try {
    text = textDecoder.decode(payload);
  } catch {
    throw new WireError('wire.malformed', 'payload is not UTF-8 text');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new WireError('wire.malformed', `payload is not JSON: ${text.slice(0, 80)}`);
  }
}

function envelope(body: unknown, receivedMs: number): { values: object; timestampMs: number } {
  if (!isObject(body) || !('values' in body) || !isObject(body.values)) {
    throw new WireError('wire.malformed', 'payload must be {"ts": …, "values": {…}} on a topic without a metric');
  }
  return { values: body.values, timestampMs: 'ts' in body ? time(body.ts) : receivedMs };
}

function single(body: unknown, metric: string, receivedMs: number): { values: object; timestampMs: number } {
  if (isObject(body) && 'value' in body)
    return { values: { [metric]: body.value }, timestampMs: 'ts' in body ? time(body.ts) : receivedMs };
  return { values: { [metric]: body }, timestampMs: receivedMs };
}

function time(ts: unknown): number {
  if (typeof ts === 'number' && Number.isFinite(ts)) return ts;
  const parsed = typeof ts === 'string' ? parseTime(ts) : undefined;
  if (parsed === undefined)
    throw new WireError('wire.malformed', 'ts is neither ms since 1970 nor an ISO 8601 time with a zone, e.g. 2026-11-20T06:00:00+07:00');
  return parsed;
}

function scalarOf(value: unknown): Value {
  if (Array.isArray(value)) return arrayText(value);
  return typeof value === 'string' ? wellFormed(value) : (value as Value);
}

/** JSON can spell half a surrogate pair, which no store can keep: UTF-8 has none. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Cs}/gu, '\ufffd');
}

function arrayText(value: readonly unknown[]): string {
  try {
    return JSON.stringify(value);
  } catch {
    // The parser copes with any depth, the writer's stack does not.
    throw new WireError('wire.tooLarge', 'an array is nested too deep');
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
