import { type SampleBatch, valueKind } from '@nhip/core/telemetry/sample-batch';
import { quality } from '@nhip/core/wire/sample';
import { createTimeWriter, putEnd, putFixed, putNumber, withRoom } from '../influxdb/line-bytes.ts';
import { createBodyBuffers, createLineStarts, restRoom, type SampleEncoder } from '../influxdb/sample-lines.ts';

/**
 * Samples as VictoriaMetrics can keep them: measurement and tags of the InfluxDB store, the fields `v` (series `samples_v`) and, when the
 * quality is not good, `q`. A text field would be stored as 0 without a word, so texts and "no value" make no line. Times in ms.
 */
export function createNumberEncoder(): SampleEncoder {
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
        if (skip.has(row) || !isNumeric(batch, row)) continue;
        const id = batch.seriesId[row] as number;
        to = withRoom(to, at, (starts.lengths[id] as number) + restRoom);
        at = putNumber(to, putFixed(to, at, starts, id), numberOf(batch, row));
        const q = batch.quality[row] as number;
        if (q !== quality.good) at += to.bytes.write(`,q=${q}`, at, 'latin1');
        at = putEnd(to, putTime(to, at, Math.floor(batch.timeMs[row] as number)));
        count++;
      }
      return { bytes: to.bytes.subarray(0, at), fromRow, toRow: row, lines: count };
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
