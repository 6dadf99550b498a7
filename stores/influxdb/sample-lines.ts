import { type SampleBatch, type SeriesTable, valueKind } from '@nhip/core/telemetry/sample-batch';
import { quality } from '@nhip/core/wire/sample';
import type { SeriesName } from '../history-store.ts';
import { createTimeWriter, numberRoom, putNumber, putSix, withRoom } from './line-bytes.ts';
import { lastMs, tag, textField } from './line-protocol.ts';

/**
 * Samples as points of one measurement: tags `machine` and `metric`; exactly one of the fields below says the value, so that no field ever
 * changes its type. `q` only says a quality that is not good: a field takes a time stamp of its own in InfluxDB's files.
 */
export const samplesMeasurement = 'samples';
export const sampleFields = {
  /** Numbers; 0 and 1 of a Boolean. */
  v: 'float',
  /** Beside `v`: it is a Boolean. */
  b: 'boolean',
  s: 'string',
  /** Whole numbers beyond 2^53 as decimal text. */
  i: 'string',
  /** No value. */
  n: 'boolean',
  q: 'integer',
} as const;

const ticksPerMs = 1_000_000;
const space = 32;
const newLine = 10;
const letterV = 118;
const equals = 61;
/** Of a line without its beginning and without a text: number, quality, time. */
export const restRoom = 4 * numberRoom;
/** A usual line fits behind the last byte that is asked for; a longer one makes the buffer grow. */
const lineRoom = 1024;
const largestBody = 1_000_000;
const firstGuess = 100_000;
/** As many as may be on the way at once. */
const maxSpare = 16;
const bytesPerUnit = 3;

export interface Body {
  readonly bytes: Uint8Array;
  /** Rows [fromRow, toRow) of the batch, without those that were left out. */
  readonly fromRow: number;
  readonly toRow: number;
  readonly lines: number;
}

/** Rows that are left out. */
export type SkippedRows = Pick<ReadonlySet<number>, 'has'>;

/** Encodes rows of batches. One per store: it keeps what every line of a series begins with. */
export interface SampleEncoder {
  /** Rows from `fromRow` on, up to `toRow` or until the body has `maxBytes` (at least one row). */
  encode(
    batch: SampleBatch,
    rows: { readonly fromRow: number; readonly toRow: number; readonly maxBytes: number },
    skip: SkippedRows,
  ): Body;
  /** Gives the bytes of a body back, for another: fresh memory costs more than what is written into it. */
  reuse(body: Body): void;
}

export function createSampleEncoder(): SampleEncoder {
  const prefixesOf = createPrefixes();
  const putTime = createTimeWriter();
  const buffers = createBodyBuffers();
  return {
    reuse: buffers.reuse,
    encode(batch, { fromRow, toRow, maxBytes }, skip) {
      const starts = prefixesOf(batch.series);
      let bytes = buffers.take(maxBytes);
      let at = 0;
      let count = 0;
      let row = fromRow;
      for (; row < toRow && at < maxBytes; row++) {
        if (skip.has(row)) continue;
        const start = starts[batch.seriesId[row] as number] as Uint8Array;
        bytes = withRoom(bytes, at, start.length + restRoom);
        bytes.set(start, at);
        at += start.length;
        const number = batch.number[row] as number;
        if (batch.kind[row] === valueKind.number) {
          bytes[at] = letterV;
          bytes[at + 1] = equals;
          at = putNumber(bytes, at + 2, number);
        } else {
          const field = otherField(batch, row, number);
          bytes = withRoom(bytes, at, field.length * bytesPerUnit + restRoom);
          at += bytes.write(field, at);
        }
        const q = batch.quality[row] as number;
        if (q !== quality.good) at += bytes.write(`,q=${q}i`, at, 'latin1');
        bytes[at++] = space;
        at = putTime(bytes, at, Math.floor(batch.timeMs[row] as number));
        at = putSix(bytes, at, (batch.tick[row] as number) % ticksPerMs);
        bytes[at++] = newLine;
        count++;
      }
      return { bytes: bytes.subarray(0, at), fromRow, toRow: row, lines: count };
    },
  };
}

/** Buffers of bodies, used again. */
export function createBodyBuffers(): {
  /** For a body of `maxBytes` and the line that goes beyond. */
  take(maxBytes: number): Buffer;
  reuse(body: Pick<Body, 'bytes'>): void;
} {
  const spare: Buffer[] = [];
  return {
    take: (maxBytes) =>
      maxBytes <= largestBody ? (spare.pop() ?? Buffer.allocUnsafeSlow(largestBody + lineRoom)) : Buffer.allocUnsafe(firstGuess),
    reuse({ bytes: { buffer } }) {
      if (buffer.byteLength === largestBody + lineRoom && spare.length < maxSpare) spare.push(Buffer.from(buffer));
    },
  };
}

/** What every line of a series begins with, `samples,machine=…,metric=… `, by series id; made once for each. */
export function createPrefixes(): (series: SeriesTable) => readonly Uint8Array[] {
  const known = new WeakMap<SeriesTable, Uint8Array[]>();
  return (series) => {
    const prefixes = known.get(series) ?? [];
    known.set(series, prefixes);
    for (let id = prefixes.length; id < series.size; id++) prefixes.push(Buffer.from(linePrefix(series.at(id))));
    return prefixes;
  };
}

function linePrefix({ machine, metric }: SeriesName): string {
  return `${samplesMeasurement}${tag('machine', machine)}${tag('metric', metric)} `;
}

function otherField(batch: SampleBatch, row: number, number: number): string {
  switch (batch.kind[row]) {
    case valueKind.boolean:
      return number === 0 ? 'v=0,b=F' : 'v=1,b=T';
    case valueKind.text:
      return `s=${textField(batch.text[number] as string)}`;
    case valueKind.bigint:
      return `i=${textField(batch.text[number] as string)}`;
    default:
      return 'n=T';
  }
}

/** Why InfluxDB could never say this sample; undefined when it can. */
export function unfitReason(batch: SampleBatch, row: number): string | undefined {
  const ms = batch.timeMs[row] as number;
  if (!(ms >= 0 && ms < lastMs + 1)) return `its time, ${ms} ms, is not between 1970 and 2262`;
  if (batch.kind[row] === valueKind.number && !Number.isFinite(batch.number[row])) return `${batch.number[row]} is no number`;
  return undefined;
}
