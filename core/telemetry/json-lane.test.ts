import { describe, expect, it } from 'vitest';
import { createDecoder } from './decoder.ts';
import { SampleBatch, SeriesTable } from './sample-batch.ts';
import { arrivalMs, logRecord, rowsOf } from './testing/messages.ts';

function decode(topic: string, payload: string | Uint8Array) {
  const series = new SeriesTable();
  const batch = new SampleBatch(series);
  const decoded = createDecoder(series).decode(logRecord(40, topic, payload), batch);
  return { ...decoded, rows: rowsOf(batch), values: Object.fromEntries(rowsOf(batch).map(({ metric, v }) => [metric, v])) };
}

const device = 'json/g/e/d';

describe('the JSON lane', () => {
  it('takes an envelope with a time and nested values', () => {
    const { rows, rejects } = decode(
      device,
      JSON.stringify({ ts: arrivalMs - 7, values: { 'Temp/Oil': 61.2, Motor: { On: true, Name: 'M1', Last: null } } }),
    );
    expect(rejects).toEqual([]);
    expect(rows.map(({ machine, metric, t, v }) => [machine, metric, t - arrivalMs, v])).toEqual([
      ['g/e/d', 'Temp/Oil', -7, 61.2],
      ['g/e/d', 'Motor/On', -7, true],
      ['g/e/d', 'Motor/Name', -7, 'M1'],
      ['g/e/d', 'Motor/Last', -7, null],
    ]);
    expect(new Set(rows.map(({ tick }) => tick)).size).toBe(4);
  });

  it.each([
    ['ISO 8601', '"2026-05-04T07:59:59.5Z"', -500],
    ['ISO 8601 with an offset', '"2026-05-04T15:00:00+07:00"', 0],
    ['ms', String(arrivalMs - 1), -1],
  ])('takes a time as %s', (_, ts, offsetMs) => {
    expect(decode(device, `{"ts":${ts},"values":{"a":1}}`).rows).toMatchObject([{ t: arrivalMs + offsetMs }]);
  });

  it.each([
    ['61.5', 61.5],
    ['true', true],
    ['"running"', 'running'],
    ['null', null],
    ['[1,[2,"x"]]', '[1,[2,"x"]]'],
    [`{"value":5,"ts":${arrivalMs}}`, 5],
    ['{"value":[1]}', '[1]'],
  ])('takes a bare value %s on a topic with a metric', (payload, value) => {
    const { rows } = decode(`${device}/Temp/Oil`, payload);
    expect(rows).toMatchObject([{ machine: 'g/e/d', metric: 'Temp/Oil', v: value, t: arrivalMs }]);
  });

  it('flattens an object on a topic with a metric', () => {
    expect(decode(`${device}/Motor`, '{"On":true,"Speed":{"Set":5}}').values).toEqual({ 'Motor/On': true, 'Motor/Speed/Set': 5 });
  });

  it('takes names that objects inherit as plain names', () => {
    const { rows, rejects } = decode(device, '{"values":{"__proto__":1,"constructor":{"prototype":2},"toString":3},"__proto__":{"ts":1}}');
    expect(rejects).toEqual([]);
    expect(rows.map(({ metric, v }) => [metric, v])).toEqual([
      ['__proto__', 1],
      ['constructor/prototype', 2],
      ['toString', 3],
    ]);
    expect(decode(`${device}/__proto__`, '5').rows).toMatchObject([{ metric: '__proto__', v: 5 }]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"values":'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe)],
    ['no envelope', '{"a":1}'],
    ['an array', '[1,2]'],
    ['values that are no object', '{"values":[1]}'],
    ['a time that is none', '{"ts":"yesterday","values":{"a":1}}'],
    ['a time that is an object', '{"ts":{},"values":{"a":1}}'],
    ['an empty name', '{"values":{"a":1,"":2}}'],
    ['a long name', JSON.stringify({ values: { ok: 1, ['x'.repeat(257)]: 1 } })],
    ['deep values', '{"values":{"a":{"b":{"c":{"d":{"e":1}}}}}}'],
    ['an array nested deeper than the stack', `{"values":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`],
    ['too many values', JSON.stringify({ values: Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`m${i}`, i])) })],
  ])('refuses %s as a whole, as one dead letter', (_, payload) => {
    const { rows, rejects, needsRebirth } = decode(device, payload);
    expect(rows).toEqual([]);
    expect(needsRebirth).toBe(false);
    expect(rejects).toMatchObject([{ reason: 'malformedPayload', detail: expect.any(String), samples: 1 }]);
  });

  it('refuses numbers and times out of range one by one, and keeps the rest', () => {
    const { values, rejects } = decode(device, '{"values":{"a":1e999,"b":2,"c":-1e999}}');
    expect(values).toEqual({ b: 2 });
    expect(rejects).toMatchObject([{ reason: 'notANumber', detail: 'a is Infinity', samples: 2 }]);
    expect(decode(device, '{"ts":1e300,"values":{"a":1}}').rejects).toMatchObject([{ reason: 'timestampOutOfRange' }]);
    expect(decode(device, '{"ts":-1,"values":{"a":1}}').rejects).toMatchObject([{ reason: 'timestampOutOfRange' }]);
  });

  it('counts many bad values of one message in one reject: a small message must not make many dead letters', () => {
    const values = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, i]));
    expect(decode(device, JSON.stringify({ ts: 5, values })).rejects).toEqual([
      expect.objectContaining({ reason: 'timestampOutOfRange', samples: 5000 }),
    ]);
  });
});
