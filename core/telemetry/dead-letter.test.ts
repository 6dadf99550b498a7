import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../log/log-bus.ts';
import { dataType } from '../wire/sparkplug/datatype.ts';
import { type DeadLetter, decodeDeadLetter, encodeDeadLetter, encodeReplay } from './dead-letter.ts';
import { createDecoder } from './decoder.ts';
import { decodeLogMessage } from './log-record.ts';
import { decodeRefusedSamples, encodeRefusedSamples } from './refused-samples.ts';
import type { Reject } from './rejects.ts';
import { SampleBatch, SeriesTable } from './sample-batch.ts';
import { arrivalMs, bdSeq, logRecord, namedIdentity, rowsOf, sparkplug } from './testing/messages.ts';

const day = 86_400_000;

function rig() {
  const series = new SeriesTable();
  const decoder = createDecoder(series);
  const decode = (record: LogRecord) => {
    const batch = new SampleBatch(series, 4);
    return { ...decoder.decode(record, batch), rows: rowsOf(batch) };
  };
  return { decoder, decode };
}

function letterOf(reject: Reject | undefined, record: LogRecord): DeadLetter {
  if (reject === undefined) throw new Error('nothing was rejected');
  return { ...reject, sourceLog: 'l', sourceIndex: record.index, part: 0, record: record.payload };
}

function replay(letter: DeadLetter, force = false): LogRecord {
  return { index: 900, payload: encodeReplay({ letter, force }, arrivalMs + day) };
}

const nbirth = sparkplug(0, 'NBIRTH', '', 0, [bdSeq(7)]);
const dbirth = sparkplug(1, 'DBIRTH', 'd', 1, [{ name: 'A', alias: 2, dataType: dataType.Double, value: null }]);

describe('a dead letter', () => {
  it('comes back as it was, and reads letters that had no rows yet', () => {
    const letter: DeadLetter = {
      reason: 'beforeBirth',
      detail: 'đ',
      samples: 2,
      rows: [{ machine: 'g/e/d', metric: 'A', samples: 2, fromMs: 1, toMs: 2, places: [[0, 2]] }],
      sourceLog: 'ff',
      sourceIndex: 7,
      part: 3,
      record: Uint8Array.of(1, 2, 3),
    };
    expect(decodeDeadLetter(encodeDeadLetter(letter))).toEqual(letter);
    const { rows: _, part: __, ...old } = letter;
    expect(decodeDeadLetter(encodeDeadLetter(old as DeadLetter))).toMatchObject({ rows: [], part: 0, samples: 2 });
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          decodeDeadLetter(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'wire.malformed' });
        }
      }),
    );
  });

  it('holds samples that a store refused, of every kind', () => {
    const sample = { machine: 'g/e/d', metric: 'A', timeMs: 5, tick: 9, quality: 500 };
    const samples = [1.5, true, 'chữ', null, 2n ** 60n].map((value) => ({ ...sample, value }));
    const { payload } = decodeLogMessage(encodeRefusedSamples([...samples, { ...sample, value: 1, timeMs: Number.NaN }], 'g/e', 1));
    expect(decodeRefusedSamples(payload)).toEqual([...samples, { ...sample, value: 1, timeMs: Number.NaN }]);
  });
});

describe('a replay', () => {
  it('decodes with the births as they are now, as history, with the ticks of the first time', () => {
    const { decode, decoder } = rig();
    const early = sparkplug(5, 'DDATA', 'd', 9, [namedIdentity(1, 70), { alias: 2, value: 1 }, { alias: 2, value: 2 }]);
    const letter = letterOf(decode(early).rejects[0], early);
    decode(nbirth);
    decode(dbirth);
    const before = decoder.snapshot();
    const { rows, replayed, rejects, needsRebirth, edge, identity } = decode(replay(letter));
    expect(rows.map(({ metric, v, tick, historical }) => [metric, v, tick, historical])).toEqual([
      ['A', 1, 70, true],
      ['A', 2, 71, true],
    ]);
    expect(replayed).toMatchObject({ edge: 'g/e', identity: { seq: 70 }, places: [0, 1], letter: { reason: 'beforeBirth' } });
    expect([rejects, needsRebirth, edge, identity]).toEqual([[], false, '', undefined]);
    expect(decoder.snapshot()).toBe(before);
  });

  it('leaves the sequence of the session alone', () => {
    const { decode } = rig();
    const early = sparkplug(5, 'DDATA', 'd', 9, [{ alias: 2, value: 1 }]);
    const letter = letterOf(decode(early).rejects[0], early);
    decode(nbirth);
    decode(dbirth);
    decode(replay(letter));
    expect(decode(sparkplug(6, 'DDATA', 'd', 2, [{ alias: 2, value: 1 }])).needsRebirth).toBe(false);
  });

  it('takes of the message only what the letter is about', () => {
    const { decode } = rig();
    decode(nbirth);
    decode(dbirth);
    const mixed = sparkplug(5, 'DDATA', 'd', 2, [
      { alias: 2, value: 1 },
      { alias: 3, value: 2 },
      { alias: 2, value: Number.NaN },
      { alias: 3, value: 4 },
    ]);
    const letter = letterOf(
      decode(mixed).rejects.find(({ reason }) => reason === 'unknownMetric'),
      mixed,
    );
    expect(decode(replay(letter))).toMatchObject({ rows: [], replayed: { places: [] } });
    decode(
      sparkplug(6, 'DBIRTH', 'd', 3, [
        { name: 'A', alias: 2, dataType: dataType.Double, value: null },
        { name: 'B', alias: 3, dataType: dataType.Double, value: null },
      ]),
    );
    const { rows, replayed } = decode(replay(letter));
    expect(rows.map(({ metric, v }) => [metric, v])).toEqual([
      ['B', 2],
      ['B', 4],
    ]);
    expect(replayed?.places).toEqual([1, 3]);
  });

  it('keeps the limits of time, unless it is forced', () => {
    const { decode } = rig();
    const old = logRecord(5, 'json/g/e/d', '{"ts":5,"values":{"x":1,"y":{"z":"\\ud800"}}}');
    const letter = letterOf(decode(old).rejects[0], old);
    expect(decode(replay(letter)).rows).toEqual([]);
    expect(decode(replay(letter, true)).rows).toMatchObject([
      { metric: 'x', t: 5, v: 1, tick: 5045, historical: true },
      { metric: 'y/z', t: 5, v: '\ufffd', tick: 5046 },
    ]);
  });

  it('gives birth values of a foreign edge back, and refused samples as they were', () => {
    const { decode } = rig();
    const birth = sparkplug(1, 'NBIRTH', '', 0, [{ name: 'A', timestampMs: 1, dataType: dataType.Double, value: 4 }]);
    const letter = letterOf(decode(birth).rejects[0], birth);
    expect(decode(replay(letter, true)).rows).toMatchObject([{ machine: 'g/e/_node', metric: 'A', t: 1, v: 4 }]);
    const refused = { machine: 'g/e/d', metric: 'R', timeMs: 44, tick: 3, value: 2n ** 60n, quality: 500 };
    const record = encodeRefusedSamples([refused], 'g/e', arrivalMs);
    const row = { machine: 'g/e/d', metric: 'R', samples: 1, fromMs: 44, toMs: 44, places: [[0, 1]] as const };
    const back = decode(
      replay({ reason: 'storeRefused', detail: '', samples: 1, rows: [row], sourceLog: 'l', sourceIndex: 3, part: 0, record }),
    );
    expect(back.rows).toEqual([{ machine: 'g/e/d', metric: 'R', t: 44, tick: 3, v: 2n ** 60n, q: 500, historical: true }]);
    expect(back.replayed?.edge).toBe('g/e');
  });

  it('that still cannot be read makes no new letter', () => {
    const { decode } = rig();
    const bad = logRecord(5, 'json/g/e/d', 'no json');
    const letter = letterOf(decode(bad).rejects[0], bad);
    expect(decode(replay(letter))).toMatchObject({ rows: [], rejects: [], replayed: undefined });
    expect(
      decode({ index: 9, payload: encodeReplay({ letter: { ...letter, record: Uint8Array.of(1) }, force: true }, 5) }).rejects,
    ).toEqual([]);
  });
});
