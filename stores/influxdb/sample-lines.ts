import { type SampleBatch, type SeriesTable, valueKind } from '@nhip/core/telemetry/sample-batch';
import { quality } from '@nhip/core/wire/sample';
import type { SeriesName } from '../history-store.ts';
import { lastMs, tag, textField, timeStamp } from './line-protocol.ts';

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

export interface Body {
  readonly text: string;
  /** Rows [fromRow, toRow) of the batch, without those that were left out. */
  readonly fromRow: number;
  readonly toRow: number;
  readonly lines: number;
}

/** Rows that are left out. */
export type SkippedRows = Pick<ReadonlySet<number>, 'has'>;

/** Encodes rows of batches. One per store: it keeps what every line of a series begins with. */
export interface SampleEncoder {
  /** Rows from `fromRow` on, up to `toRow` or until the body has `maxLength` characters (at least one row). */
  encode(
    batch: SampleBatch,
    rows: { readonly fromRow: number; readonly toRow: number; readonly maxLength: number },
    skip: SkippedRows,
  ): Body;
}

export function createSampleEncoder(): SampleEncoder {
  const prefixes = new WeakMap<SeriesTable, string[]>();

  function prefixesOf(series: SeriesTable): string[] {
    let known = prefixes.get(series);
    if (known === undefined) {
      known = [];
      prefixes.set(series, known);
    }
    for (let id = known.length; id < series.size; id++) known.push(linePrefix(series.at(id)));
    return known;
  }

  return {
    encode(batch, { fromRow, toRow, maxLength }, skip) {
      const starts = prefixesOf(batch.series);
      let text = '';
      let lines = 0;
      let row = fromRow;
      for (; row < toRow && text.length < maxLength; row++) {
        if (skip.has(row)) continue;
        const ms = Math.floor(batch.timeMs[row] as number);
        const q = batch.quality[row] as number;
        const rest = q === quality.good ? ' ' : `,q=${q}i `;
        text += `${starts[batch.seriesId[row] as number]}${valueFields(batch, row)}${rest}${timeStamp(ms, (batch.tick[row] as number) % ticksPerMs)}\n`;
        lines++;
      }
      return { text, fromRow, toRow: row, lines };
    },
  };
}

function linePrefix({ machine, metric }: SeriesName): string {
  return `${samplesMeasurement}${tag('machine', machine)}${tag('metric', metric)} `;
}

function valueFields(batch: SampleBatch, row: number): string {
  const number = batch.number[row] as number;
  switch (batch.kind[row]) {
    case valueKind.number:
      return `v=${Object.is(number, -0) ? '-0' : number}`;
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
