import type { Value } from '../wire/sample.ts';
import { WireError } from '../wire/wire-error.ts';
import { encodeLogMessage } from './log-record.ts';

/** Topic of the record that keeps samples which the store refused: the message that they came with is no longer at hand then. */
export const refusedSamplesTopic = 'nhip/store/refused';

export interface RefusedSampleRecord {
  readonly machine: string;
  readonly metric: string;
  /** ms UTC; NaN when it was no time. */
  readonly timeMs: number;
  readonly tick: number;
  readonly value: Value;
  readonly quality: number;
}

/** A log record like a message's, its payload JSON: [[machine, metric, time, tick, value, quality], …], integers above 2^53 as {"bigint": text}. */
export function encodeRefusedSamples(samples: readonly RefusedSampleRecord[], sender: string, receivedMs: number): Uint8Array {
  const rows = samples.map(({ machine, metric, timeMs, tick, value, quality }) => [machine, metric, timeMs, tick, toJson(value), quality]);
  return encodeLogMessage({ receivedMs, sender, topic: refusedSamplesTopic, payload: new TextEncoder().encode(JSON.stringify(rows)) });
}

/** Takes the payload of such a record. Throws WireError when it is none. */
export function decodeRefusedSamples(payload: Uint8Array): readonly RefusedSampleRecord[] {
  try {
    const rows = JSON.parse(new TextDecoder().decode(payload)) as readonly (readonly [
      string,
      string,
      number | null,
      number,
      unknown,
      number,
    ])[];
    return rows.map(([machine, metric, timeMs, tick, value, quality]) => {
      return { machine, metric, timeMs: timeMs ?? Number.NaN, tick, value: fromJson(value), quality };
    });
  } catch {
    throw new WireError('wire.malformed', 'the record of refused samples is damaged');
  }
}

function toJson(value: Value): unknown {
  return typeof value === 'bigint' ? { bigint: value.toString() } : value;
}

function fromJson(value: unknown): Value {
  if (typeof value === 'object' && value !== null && 'bigint' in value) return BigInt(String(value.bigint));
  return value as Value;
}
