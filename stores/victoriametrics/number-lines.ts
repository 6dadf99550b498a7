import { type SampleBatch, valueKind } from '@nhip/core/telemetry/sample-batch';
import { quality } from '@nhip/core/wire/sample';
import { createLineBuffer } from '../influxdb/line-buffer.ts';
import { createPrefixes, type SampleEncoder } from '../influxdb/sample-lines.ts';

const numberField = Buffer.from('v=');
const space = 32;
const newLine = 10;
/** A usual line fits behind the last byte that is asked for; a longer one makes the buffer grow. */
const lineRoom = 1024;
const largestGuess = 1_100_000;

/**
 * Samples as VictoriaMetrics can keep them: measurement and tags of the InfluxDB store, the fields `v` (series `samples_v`) and, when the
 * quality is not good, `q`. A text field would be stored as 0 without a word, so texts and "no value" make no line. Times in ms.
 */
export function createNumberEncoder(): SampleEncoder {
  const prefixesOf = createPrefixes();
  return {
    encode(batch, { fromRow, toRow, maxBytes }, skip) {
      const starts = prefixesOf(batch.series);
      const lines = createLineBuffer(Math.min(maxBytes + lineRoom, largestGuess));
      let count = 0;
      let row = fromRow;
      for (; row < toRow && lines.length < maxBytes; row++) {
        if (skip.has(row) || !isNumeric(batch, row)) continue;
        lines.bytes(starts[batch.seriesId[row] as number] as Uint8Array);
        lines.bytes(numberField);
        lines.number(numberOf(batch, row));
        const q = batch.quality[row] as number;
        if (q !== quality.good) lines.text(`,q=${q}`);
        lines.byte(space);
        lines.whole(Math.floor(batch.timeMs[row] as number));
        lines.byte(newLine);
        count++;
      }
      return { bytes: lines.take(), fromRow, toRow: row, lines: count };
    },
  };
}

/** Whether the sample has a number to keep. */
export function isNumeric(batch: SampleBatch, row: number): boolean {
  const kind = batch.kind[row];
  return kind === valueKind.number || kind === valueKind.boolean || kind === valueKind.bigint;
}

function numberOf(batch: SampleBatch, row: number): number {
  const number = batch.number[row] as number;
  return batch.kind[row] === valueKind.bigint ? Number(batch.text[number]) : number;
}
