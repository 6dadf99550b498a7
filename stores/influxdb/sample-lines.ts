import { type SampleBatch, type SeriesTable, valueKind } from '@nhip/core/telemetry/sample-batch';
import { quality } from '@nhip/core/wire/sample';
import type { SeriesName } from '../history-store.ts';
import {
  addFixed,
  bufferOver,
  createFixedTexts,
  createLineBuffer,
  createTimeWriter,
  type FixedTexts,
  type LineBuffer,
  numberRoom,
  overrun,
  putFixed,
  putNumber,
  putSixAndEnd,
  withRoom,
} from './line-bytes.ts';
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
const numberField = 'v=';
/** Of a line without its beginning and without a text: number, quality, time. */
export const restRoom = 4 * numberRoom + overrun;
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

/** Rows that are left out. Always a Set: another class makes the machine code of the loop below start from scratch. */
export type SkippedRows = ReadonlySet<number>;

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
  const startsOf = createLineStarts();
  const putTime = createTimeWriter();
  const buffers = createBodyBuffers();
  return {
    reuse: buffers.reuse,
    encode(batch, { fromRow, toRow, maxBytes }, skip) {
      const starts = startsOf(batch.series);
      let to = buffers.take(maxBytes);
      let at = 0;
      let count = 0;
      let row = fromRow;
      for (; row < toRow && at < maxBytes; row++) {
        if (skip.has(row)) continue;
        const id = batch.seriesId[row] as number;
        to = withRoom(to, at, (starts.lengths[id] as number) + restRoom);
        at = putFixed(to, at, starts, id);
        const number = batch.number[row] as number;
        if (batch.kind[row] === valueKind.number) {
          at = putNumber(to, at, number);
        } else {
          const field = otherField(batch, row, number);
          to = withRoom(to, at, field.length * bytesPerUnit + restRoom);
          at -= numberField.length;
          at += to.bytes.write(field, at);
        }
        const q = batch.quality[row] as number;
        if (q !== quality.good) at += to.bytes.write(`,q=${q}i`, at, 'latin1');
        at = putTime(to, at, Math.floor(batch.timeMs[row] as number));
        at = putSixAndEnd(to, at, (batch.tick[row] as number) % ticksPerMs);
        count++;
      }
      return { bytes: to.bytes.subarray(0, at), fromRow, toRow: row, lines: count };
    },
  };
}

/** Buffers of bodies, used again. */
export function createBodyBuffers(): {
  /** For a body of `maxBytes` and the line that goes beyond. */
  take(maxBytes: number): LineBuffer;
  reuse(body: Pick<Body, 'bytes'>): void;
} {
  const spare: LineBuffer[] = [];
  return {
    take: (maxBytes) =>
      maxBytes <= largestBody ? (spare.pop() ?? createLineBuffer(largestBody + lineRoom)) : createLineBuffer(firstGuess),
    reuse({ bytes: { buffer } }) {
      if (buffer.byteLength === largestBody + lineRoom && spare.length < maxSpare) spare.push(bufferOver(new Uint8Array(buffer)));
    },
  };
}

/** What every line of a series begins with when its value is a number, `samples,machine=…,metric=… v=`, by series id; made once for each. */
export function createLineStarts(): (series: SeriesTable) => FixedTexts {
  const known = new WeakMap<SeriesTable, FixedTexts>();
  return (series) => {
    const starts = known.get(series) ?? createFixedTexts();
    known.set(series, starts);
    for (let id = starts.count; id < series.size; id++) addFixed(starts, lineStart(series.at(id)));
    return starts;
  };
}

function lineStart({ machine, metric }: SeriesName): string {
  return `${samplesMeasurement}${tag('machine', machine)}${tag('metric', metric)} ${numberField}`;
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
