import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../log/log-bus.ts';
import { dataType } from '../wire/sparkplug/datatype.ts';
import type { Metric } from '../wire/sparkplug/payload.ts';
import { createDecoder, type DecoderOptions } from './decoder.ts';
import { brokerStartedTopic } from './log-record.ts';
import { SampleBatch, SeriesTable } from './sample-batch.ts';
import { arrivalMs, bdSeq, identity, identityDeclaration, logRecord, rowsOf, sparkplug } from './testing/messages.ts';

function rig(options?: DecoderOptions) {
  const series = new SeriesTable();
  const decoder = createDecoder(series, options);
  const decode = (record: LogRecord) => {
    const batch = new SampleBatch(series, 4);
    const decoded = decoder.decode(record, batch);
    return { ...decoded, rows: rowsOf(batch), values: rowsOf(batch).map(({ metric, v }) => `${metric}=${String(v)}`) };
  };
  return { series, decoder, decode };
}

const temperature: Metric = { name: 'Temp', alias: 11, dataType: dataType.Double, value: 20 };
const level: Metric = {
  name: 'Level',
  alias: 12,
  dataType: dataType.Int16,
  value: -3,
  properties: { engUnit: { type: dataType.String, value: 'mm' } },
};

/** NBIRTH and a DBIRTH of device d with `metrics`: seq 0 and 1, index 0 and 1. */
function born(metrics: readonly Metric[], options?: DecoderOptions) {
  const it = rig(options);
  it.decode(sparkplug(0, 'NBIRTH', '', 0, [bdSeq(7)]));
  return { ...it, birth: it.decode(sparkplug(1, 'DBIRTH', 'd', 1, metrics)) };
}

describe('births and data', () => {
  it('tck-id-payloads-metric-datatype-not-req: DATA by alias takes name, type and unit from the birth', () => {
    const { decode, decoder } = born([temperature, level]);
    const stale: Metric = { alias: 12, dataType: dataType.Int16, value: -4, properties: { Quality: { type: dataType.Int32, value: 500 } } };
    const { rows, rejects, needsRebirth } = decode(
      sparkplug(2, 'DDATA', 'd', 2, [{ alias: 11, timestampMs: arrivalMs - 5, value: 21.5 }, stale]),
    );
    expect(rejects).toEqual([]);
    expect(needsRebirth).toBe(false);
    expect(rows).toEqual([
      { machine: 'g/e/d', metric: 'Temp', t: arrivalMs - 5, tick: 2018, v: 21.5, q: 192, historical: false },
      { machine: 'g/e/d', metric: 'Level', t: arrivalMs, tick: 2019, v: -4, q: 500, historical: false },
    ]);
    const units = Array.from({ length: 4 }, (_, id) => decoder.unit(id));
    expect(units.filter((unit) => unit !== null)).toEqual(['mm']);
  });

  it('casts integers without a data type by the type of the birth', () => {
    const { decode } = born([level]);
    // int_value 10 (field 10) with two's complement, no data type: as conformant edges send it.
    const metric = Uint8Array.from([0x10, 12, 0x50, 0xfb, 0xff, 0xff, 0xff, 0x0f]);
    const payload = Uint8Array.from([0x18, 2, 0x12, metric.length, ...metric]);
    expect(decode(logRecord(2, 'spBv1.0/g/DDATA/e/d', payload)).values).toEqual(['Level=-5']);
  });

  it('takes birth values of a foreign edge as samples, with their quality and history', () => {
    const stale = { ...temperature, properties: { Quality: { type: dataType.Int32, value: 500 } }, isHistorical: true } as const;
    const { birth } = born([stale, { ...level, value: null }]);
    expect(birth.rows).toEqual([
      expect.objectContaining({ metric: 'Temp', v: 20, q: 500, historical: true }),
      expect.objectContaining({ metric: 'Connection', v: 'online', t: arrivalMs }),
    ]);
  });

  it('takes of the births of an edge with an outbox only the properties: its DATA has the values', () => {
    const name: Metric = { name: 'Properties/DisplayName', dataType: dataType.String, value: 'Press 4' };
    const { birth } = born([identityDeclaration(10), temperature, name]);
    expect(birth.values).toEqual(['Properties/DisplayName=Press 4', 'Connection=online']);
  });

  it('numbers samples of an outbox by its sequence, all others by the index of the log', () => {
    const { decode } = born([identityDeclaration(10), temperature, level]);
    const data = [identity(10, 1, 5_999_999), { alias: 11, value: 1 }, { alias: 11, value: Number.NaN }, { alias: 11, value: 3 }];
    const { rows, identity: found, identityCount, rejects } = decode(sparkplug(2, 'DDATA', 'd', 2, data));
    expect(found).toEqual({ stream: '01'.repeat(16), seq: 5_999_999 });
    expect(identityCount).toBe(3);
    expect(rows.map(({ tick, v }) => [tick, v])).toEqual([
      [999_999, 1],
      [1, 3],
    ]);
    expect(rejects).toMatchObject([{ reason: 'notANumber', detail: 'Temp is NaN', samples: 1 }]);
  });

  it('forgets an alias that a new birth of the device no longer has', () => {
    const { decode } = born([temperature, level]);
    decode(sparkplug(2, 'DBIRTH', 'd', 2, [{ ...temperature, alias: 20 }]));
    const { rows, rejects } = decode(
      sparkplug(3, 'DDATA', 'd', 3, [
        { alias: 11, value: 1 },
        { alias: 20, value: 2 },
      ]),
    );
    expect(rows.map(({ metric, v }) => [metric, v])).toEqual([['Temp', 2]]);
    expect(rejects).toMatchObject([{ reason: 'unknownMetric', detail: 'alias 11 is not in the birth of device d', samples: 1 }]);
  });

  it('knows after a restart to which device an alias belongs that two devices declared', () => {
    const { decode, decoder } = born([temperature]);
    decode(sparkplug(2, 'DBIRTH', 'd2', 2, [{ ...temperature, name: 'Other' }]));
    decode(sparkplug(3, 'DBIRTH', 'd', 3, [temperature]));
    const after = rig();
    after.decoder.restore(decoder.snapshot());
    const data = sparkplug(4, 'DDATA', 'd', 4, [{ alias: 11, value: 5 }]);
    expect([decode(data).values, after.decode(data).values]).toEqual([['Temp=5'], ['Temp=5']]);
  });

  it('does not store transient values, stores null and marks history', () => {
    const { decode } = born([temperature, level]);
    const { rows } = decode(
      sparkplug(2, 'DDATA', 'd', 2, [
        { alias: 11, value: 1, isTransient: true },
        { alias: 11, value: null },
        { alias: 11, value: 2, isHistorical: true },
      ]),
    );
    expect(rows.map(({ v, historical }) => [v, historical])).toEqual([
      [null, false],
      [2, true],
    ]);
  });

  it('keeps arrays and data sets as JSON text, refuses bytes and templates, skips template definitions', () => {
    const set = { columns: ['a', 'b'], types: [dataType.Int64, dataType.String], rows: [[2n ** 60n, 'x']] };
    const template = { templateRef: null, isDefinition: true, metrics: [] };
    const { birth } = born([
      { name: 'Array', dataType: dataType.Int16Array, value: [1, -2] },
      { name: 'Set', dataType: dataType.DataSet, value: set },
      { name: 'Bytes', dataType: dataType.Bytes, value: Uint8Array.of(1) },
      { name: 'Definition', dataType: dataType.Template, value: template },
      { name: 'Template', dataType: dataType.Template, value: { ...template, templateRef: 'Definition', isDefinition: false } },
    ]);
    expect(birth.values).toEqual(['Array=[1,-2]', `Set={"columns":["a","b"],"rows":[["${2n ** 60n}","x"]]}`, 'Connection=online']);
    expect(birth.rejects).toMatchObject([{ reason: 'unsupportedType', detail: 'Bytes carries bytes or a template', samples: 2 }]);
  });

  it('has no trouble with names that objects inherit', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const { birth, decode } = born(names.map((name, i) => ({ name, alias: 30 + i, dataType: dataType.Double, value: i })));
    expect(birth.values).toEqual([...names.map((name, i) => `${name}=${i}`), 'Connection=online']);
    expect(decode(sparkplug(2, 'DDATA', 'd', 2, [{ name: '__proto__', value: 5 }])).values).toEqual(['__proto__=5']);
  });
});

describe('what a host must notice', () => {
  it('DATA before a birth: refused, a rebirth is due, samples count', () => {
    const { decode } = rig();
    const { rows, rejects, needsRebirth } = decode(
      sparkplug(0, 'DDATA', 'd', 3, [
        { alias: 1, value: 1 },
        { name: 'A', value: 2 },
      ]),
    );
    expect(rows).toEqual([]);
    expect(needsRebirth).toBe(true);
    expect(rejects).toMatchObject([{ reason: 'beforeBirth', detail: 'alias 1 came before a birth of device d', samples: 2 }]);
  });

  it('an unknown alias: the rest of the message is taken all the same', () => {
    const { decode } = born([temperature]);
    const { values, rejects, needsRebirth } = decode(
      sparkplug(2, 'DDATA', 'd', 2, [
        { alias: 99, value: 1 },
        { alias: 11, value: 2 },
      ]),
    );
    expect(values).toEqual(['Temp=2']);
    expect(needsRebirth).toBe(true);
    expect(rejects).toHaveLength(1);
  });

  it('tck-id-payloads-sequence-num-incrementing: a gap in seq asks for a rebirth, the wrap from 255 to 0 does not', () => {
    const { decode } = born([temperature]);
    const data = (index: number, seq: number) => decode(sparkplug(index, 'DDATA', 'd', seq, [{ alias: 11, value: seq }])).needsRebirth;
    for (let seq = 2; seq < 256; seq++) expect(data(seq, seq)).toBe(false);
    expect(data(256, 0)).toBe(false);
    expect(data(257, 2)).toBe(true);
    expect(data(258, 3)).toBe(false);
    expect(decode(sparkplug(259, 'DDEATH', 'd', 5, [])).needsRebirth).toBe(true);
  });

  it('DATA and DBIRTH of a node whose session has ended ask for a rebirth', () => {
    const { decode } = born([temperature]);
    decode(sparkplug(2, 'NDEATH', '', undefined, [bdSeq(7)]));
    expect(decode(sparkplug(3, 'DDATA', 'd', 2, [{ alias: 11, value: 1 }]))).toMatchObject({ needsRebirth: true, rejects: [] });
    expect(decode(sparkplug(4, 'DBIRTH', 'd', 3, [temperature])).needsRebirth).toBe(true);
  });

  it('tck-id-operational-behavior-edge-node-termination-host-action-ndeath: an NDEATH with another bdSeq is ignored', () => {
    const { decode } = born([temperature]);
    expect(decode(sparkplug(2, 'NDEATH', '', undefined, [bdSeq(6)])).rows).toEqual([]);
    const { rows } = decode(sparkplug(3, 'NDEATH', '', undefined, [bdSeq(7)], { timestampMs: 5, receivedMs: arrivalMs + 9 }));
    expect(rows).toEqual([expect.objectContaining({ machine: 'g/e/d', metric: 'Connection', v: 'agentOffline', t: arrivalMs + 9 })]);
    expect(decode(sparkplug(4, 'NDEATH', '', undefined, [bdSeq(7)])).rows).toEqual([]);
  });

  it('a device that is born and dies at once ends up unreachable, whatever the edge thinks what time it is', () => {
    const { decode } = born([temperature]);
    const at = { receivedMs: arrivalMs + 1000 };
    const death = decode(sparkplug(2, 'DDEATH', 'd', 2, [], { ...at, timestampMs: arrivalMs - 60_000 }));
    expect(death.rows).toEqual([expect.objectContaining({ metric: 'Connection', v: 'plcUnreachable', t: arrivalMs + 1000 })]);
    const absurd = decode(sparkplug(4, 'DDEATH', 'x', 3, [], { timestampMs: 2 ** 62 }));
    expect(absurd).toMatchObject({ rows: [], needsRebirth: true });
  });

  it('the start of the broker ends every session', () => {
    const { decode, decoder } = born([temperature]);
    const { rows } = decode(logRecord(2, brokerStartedTopic, '', arrivalMs + 50));
    expect(rows).toEqual([expect.objectContaining({ metric: 'Connection', v: 'agentOffline', t: arrivalMs + 50 })]);
    expect([...decoder.sessions()].map(({ isOnline }) => isOnline)).toEqual([false]);
    expect(decode(sparkplug(3, 'NBIRTH', '', 0, [bdSeq(8)])).needsRebirth).toBe(false);
  });

  it.each([
    ['too far in the future', arrivalMs + 300_001],
    ['too old', arrivalMs - 3 * 366 * 86_400_000],
    ['not a time at all', 2 ** 62],
    ['zero', 0],
  ])('refuses a time that is %s, in DATA and in births', (_, timestampMs) => {
    const late: Metric = { ...temperature, timestampMs };
    const { decode, birth } = born([late]);
    const data = decode(
      sparkplug(2, 'DDATA', 'd', 2, [
        { alias: 11, timestampMs, value: 1 },
        { alias: 11, value: 2 },
      ]),
    );
    for (const { rejects } of [birth, data])
      expect(rejects).toEqual([expect.objectContaining({ reason: 'timestampOutOfRange', samples: 1 })]);
    expect(data.values).toEqual(['Temp=2']);
    expect(birth.values).toEqual(['Connection=online']);
  });

  it('takes a time within the limits', () => {
    const { decode } = born([temperature], { maxFutureMs: 10, maxAgeMs: 20 });
    const at = (timestampMs: number) => decode(sparkplug(2, 'DDATA', 'd', undefined, [{ alias: 11, timestampMs, value: 1 }])).rows.length;
    expect([-21, -20, 10, 11].map((offset) => at(arrivalMs + offset))).toEqual([0, 1, 1, 0]);
  });

  it('refuses infinities, and commands as telemetry', () => {
    const { decode } = born([temperature]);
    const data = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].map((value) => ({ alias: 11, value }));
    expect(decode(sparkplug(2, 'DDATA', 'd', 2, data)).rejects).toMatchObject([
      { reason: 'notANumber', detail: 'Temp is Infinity', samples: 3 },
    ]);
    expect(decode(sparkplug(3, 'NCMD', '', undefined, [])).rejects).toMatchObject([{ reason: 'unknownTopic' }]);
  });

  it('drops a message with a torn end as a whole', () => {
    const { decode } = born([temperature]);
    const whole = sparkplug(2, 'DDATA', 'd', 2, [
      { alias: 11, value: 1 },
      { alias: 11, value: 2 },
    ]);
    const torn = { index: 2, payload: whole.payload.subarray(0, whole.payload.length - 3) };
    expect(decode(torn)).toMatchObject({ rows: [], identity: undefined, rejects: [{ reason: 'malformedPayload', samples: 1 }] });
  });
});

describe('a publisher that invents series', () => {
  it('in births: definitions stop at the limit, DATA of the rest is refused without asking for births', () => {
    const many = Array.from({ length: 30 }, (_, i): Metric => ({ name: `M${i}`, alias: 100 + i, dataType: dataType.Double, value: i }));
    const { birth, decode, series, decoder } = born(many, { maxSeriesPerEdge: 11 });
    expect(birth.rows.filter(({ metric }) => metric.startsWith('M'))).toHaveLength(10);
    expect(birth.rejects).toEqual([expect.objectContaining({ reason: 'tooManySeries', samples: 20 })]);
    const data = decode(
      sparkplug(2, 'DDATA', 'd', 2, [
        { alias: 100, value: 1 },
        { alias: 129, value: 1 },
      ]),
    );
    expect(data).toMatchObject({ values: ['M0=1'], needsRebirth: false, rejects: [{ reason: 'tooManySeries', samples: 1 }] });
    for (let i = 0; i < 50; i++) decode(sparkplug(3 + i, 'DBIRTH', `d${i}`, (3 + i) % 256, many));
    expect(series.size).toBe(11);
    const [session] = decoder.sessions();
    expect([session?.byAlias.size, session?.byName.size, session?.metricCount]).toEqual([10, 2, 11]);
  });

  it('after a restart too: cut births still ask for no other births', () => {
    const many = Array.from({ length: 5 }, (_, i): Metric => ({ name: `M${i}`, alias: 100 + i, dataType: dataType.Double, value: i }));
    const before = born(many, { maxSeriesPerEdge: 4 });
    const after = rig({ maxSeriesPerEdge: 4 });
    after.decoder.restore(before.decoder.snapshot());
    const data = after.decode(sparkplug(2, 'DDATA', 'd', 2, [{ alias: 104, value: 1 }]));
    expect(data).toMatchObject({ needsRebirth: false, rejects: [{ reason: 'tooManySeries' }] });
  });

  it('in session metrics, aliases and long names', () => {
    const { decode, series, decoder } = rig({ maxSeriesPerEdge: 20 });
    decode(sparkplug(0, 'NBIRTH', '', 0, [bdSeq(0)]));
    for (let i = 0; i < 100; i++) {
      const metrics = [0, 1, 2].map(
        (j): Metric => ({ name: `Node Control/${i}.${j}`, alias: i * 3 + j, dataType: dataType.Boolean, value: false }),
      );
      decode(sparkplug(1 + i, 'DBIRTH', 'd', (1 + i) % 256, metrics));
    }
    const [session] = decoder.sessions();
    expect(session?.byAlias.size).toBe(3);
    const long = decode(sparkplug(200, 'DBIRTH', 'd', undefined, [{ ...temperature, name: 'x'.repeat(600) }]));
    expect(long.rejects).toMatchObject([{ reason: 'tooManySeries' }]);
    expect(series.size).toBeLessThanOrEqual(20);
  });

  it('in the JSON lane; other edges are not concerned', () => {
    const { decode, series } = rig({ maxSeriesPerEdge: 3 });
    const post = (edge: string, i: number) => decode(logRecord(i, `json/g/${edge}/d${i}`, JSON.stringify({ values: { a: 1, b: 2 } })));
    const results = [0, 1, 2].map((i) => post('e', i));
    expect(results.map(({ rows, rejects }) => [rows.length, rejects[0]?.samples ?? 0])).toEqual([
      [2, 0],
      [1, 1],
      [0, 2],
    ]);
    expect(results[2]?.rejects).toMatchObject([{ reason: 'tooManySeries' }]);
    expect(post('other', 4).rows).toHaveLength(2);
    expect(series.size).toBe(5);
  });
});
