import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../log/log-bus.ts';
import { dataType } from '../wire/sparkplug/datatype.ts';
import type { Metric } from '../wire/sparkplug/payload.ts';
import { createDecoder } from './decoder.ts';
import { brokerStartedTopic } from './log-record.ts';
import { SampleBatch, SeriesTable } from './sample-batch.ts';
import { bdSeq, identity, identityDeclaration, logRecord, rowsOf, sparkplug } from './testing/messages.ts';

const limit = { maxSeriesPerEdge: 12 };
const name = fc.constantFrom('A', 'B', 'C', 'Node Control/Rebirth', 'Properties/Line', '__proto__');
const alias = fc.option(fc.nat(4), { nil: undefined });
const device = fc.constantFrom('d1', 'd2');
const declared: fc.Arbitrary<Metric> = fc.oneof(
  { arbitrary: fc.record({ name, alias, dataType: fc.constant(dataType.Double), value: fc.integer() }), weight: 5 },
  { arbitrary: fc.nat(4).map(identityDeclaration), weight: 1 },
);
const sent: fc.Arbitrary<Metric> = fc.oneof(
  { arbitrary: fc.record({ alias: fc.nat(4), value: fc.integer() }), weight: 4 },
  { arbitrary: fc.record({ name, value: fc.integer() }), weight: 2 },
  { arbitrary: fc.tuple(fc.nat(4), fc.nat(5)).map(([a, seq]) => identity(a, 1, seq)), weight: 1 },
);

type Make = (index: number) => LogRecord;
const message: fc.Arbitrary<Make> = fc.oneof(
  fc.array(declared, { maxLength: 4 }).map(
    (metrics): Make =>
      (i) =>
        sparkplug(i, 'NBIRTH', '', 0, [bdSeq(1), ...metrics]),
  ),
  fc.tuple(device, fc.array(declared, { maxLength: 4 })).map(
    ([d, m]): Make =>
      (i) =>
        sparkplug(i, 'DBIRTH', d, undefined, m),
  ),
  fc.tuple(device, fc.array(sent, { maxLength: 4 })).map(
    ([d, m]): Make =>
      (i) =>
        sparkplug(i, 'DDATA', d, undefined, m),
  ),
  fc.array(sent, { maxLength: 3 }).map(
    (m): Make =>
      (i) =>
        sparkplug(i, 'NDATA', '', undefined, m),
  ),
  device.map(
    (d): Make =>
      (i) =>
        sparkplug(i, 'DDEATH', d, undefined, []),
  ),
  fc.nat(2).map(
    (n): Make =>
      (i) =>
        sparkplug(i, 'NDEATH', '', undefined, [bdSeq(n)]),
  ),
  fc.constant<Make>((i) => logRecord(i, brokerStartedTopic, '')),
  fc.dictionary(name, fc.integer()).map(
    (values): Make =>
      (i) =>
        logRecord(i, 'json/g/e/d1', JSON.stringify({ values })),
  ),
);

function decodeAll(records: readonly LogRecord[], restartAt: ReadonlySet<number>, options = {}) {
  let series = new SeriesTable();
  let decoder = createDecoder(series, options);
  return records.map((record, i) => {
    if (restartAt.has(i)) {
      const state = decoder.snapshot();
      series = new SeriesTable();
      decoder = createDecoder(series, options);
      decoder.restore(state);
    }
    const batch = new SampleBatch(series, 2);
    const { identity: id, identityCount, rejects, needsRebirth } = decoder.decode(record, batch);
    return { rows: rowsOf(batch), id, identityCount, rejects, needsRebirth };
  });
}

describe('the decoder, over random messages', () => {
  it('decodes the same with a snapshot and a restore anywhere', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), (makes, restarts) => {
        const records = makes.map((make, i) => make(i));
        expect(decodeAll(records, new Set(restarts))).toEqual(decodeAll(records, new Set()));
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps the snapshot object while no birth or death changes anything', () => {
    const series = new SeriesTable();
    const decoder = createDecoder(series);
    const batch = new SampleBatch(series);
    decoder.decode(sparkplug(0, 'NBIRTH', '', 0, [{ name: 'A', alias: 1, dataType: dataType.Double, value: 1 }]), batch);
    const before = decoder.snapshot();
    decoder.decode(sparkplug(1, 'NDATA', '', 1, [{ alias: 1, value: 2 }]), batch);
    expect(decoder.snapshot()).toBe(before);
    decoder.decode(sparkplug(2, 'DBIRTH', 'd', 2, []), batch);
    expect(decoder.snapshot()).not.toBe(before);
  });

  it('never has more series than the limit', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 25 }), (makes) => {
        const series = new SeriesTable();
        const decoder = createDecoder(series, limit);
        for (const [i, make] of makes.entries()) decoder.decode(make(i), new SampleBatch(series, 2));
        expect(series.size).toBeLessThanOrEqual(limit.maxSeriesPerEdge);
      }),
    );
  });

  it('never throws and never leaves half a message, whatever the bytes are', () => {
    const topic = fc
      .constantFrom('NBIRTH/e', 'DBIRTH/e/d', 'DDATA/e/d', 'NDATA/e', 'NDEATH/e', 'DDEATH/e/d')
      .map((rest) => `spBv1.0/g/${rest}`);
    const anyTopic = fc.oneof(topic, fc.constantFrom('json/g/e/d', 'json/g/e/d/m'), fc.string());
    const bytes = fc.uint8Array({ maxLength: 60 });
    // Real messages with a few bytes changed get much further than noise does.
    const damaged = fc.tuple(message, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 })).map(
      ([make, changes]): Make =>
        (i) => {
          const record = make(i);
          for (const [at, byte] of changes) if (at > 12 && at < record.payload.length) record.payload[at] = byte;
          return record;
        },
    );
    const made = fc.tuple(anyTopic, bytes).map(
      ([t, payload]): Make =>
        (i) =>
          logRecord(i, t, payload),
    );
    const raw = bytes.map(
      (payload): Make =>
        (index) => ({ index, payload }),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(damaged, made, raw, message), { maxLength: 12 }), (makes) => {
        for (const { rows, rejects } of decodeAll(
          makes.map((make, i) => make(i)),
          new Set([5]),
        )) {
          for (const { t, v } of rows) {
            expect(Math.abs(t)).toBeLessThanOrEqual(8.64e15);
            expect(typeof v === 'number' && !Number.isFinite(v)).toBe(false);
          }
          expect(rejects.some(({ reason }) => reason === 'decoderFault')).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});
