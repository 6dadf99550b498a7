import { metricNames } from '@nhip/core/wire/vocabulary';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasInfluxd } from '../../test/harness/influxd.ts';
import * as influxql from './influxql.ts';
import { interpolate } from './testing/grafana-macros.ts';
import { type InfluxFixture, startInfluxFixture } from './testing/influx-fixture.ts';
import { cutFromMs, fromMs, toMs } from './testing/plant-history.ts';

const machine = 'hoalac/edge-cnc/CNC-01';
const packed = 'hoalac/edge-pack/CHI-01';
let influx: InfluxFixture;

beforeAll(async () => {
  if (hasInfluxd) influx = await startInfluxFixture();
});
afterAll(() => influx?.close());

const ask = (query: string, of = machine, times = { fromMs, toMs }) =>
  influx.ask(interpolate(query, { ...times, intervalMs: 60_000, variables: { machine: of } }));
const number = (row: Readonly<Record<string, unknown>> | undefined, field: string): number => Number(row?.[field]);

/** Samples of one metric as they were written: [ms, value]. */
async function samples(metric: string, of = machine): Promise<readonly (readonly [number, unknown])[]> {
  const rows = await influx.ask(`SELECT v, s FROM samples WHERE machine = '${of}' AND metric = '${metric}' AND time < ${toMs}ms`);
  return rows.map(({ time, v, s }) => [Number(time), s ?? v] as const);
}

/** Minutes in states, from every sample and not from those of full minutes. */
async function exactMinutes(isWanted: (state: unknown) => boolean): Promise<number> {
  const changes = [...(await samples(metricNames.state)), ...(await samples(metricNames.connection))].sort((a, b) => a[0] - b[0]);
  return changes.reduce((sum, [at, state], i) => sum + (isWanted(state) ? (changes[i + 1]?.[0] ?? toMs) - at : 0), 0) / 60_000;
}

describe.skipIf(!hasInfluxd)('figures (needs influxd: apt-get install influxdb)', () => {
  it('of OEE are what the samples say', async () => {
    const [row] = await ask(influxql.oee);
    const planned: readonly unknown[] = influxql.plannedStates;
    const [run, plan] = [await exactMinutes((state) => state === 'running'), await exactMinutes((state) => planned.includes(state))];
    expect(number(row, 'availability')).toBeCloseTo(run / plan, 1);
    const counts = (await samples(metricNames.countGood)).map(([, value]) => Number(value));
    const good = (counts.at(-1) ?? 0) - (counts[0] ?? 0);
    expect(number(row, 'good')).toBe(good);
    const { availability, performance, quality, oee } = row as Readonly<Record<string, number>>;
    expect(oee).toBeCloseTo(Number(availability) * Number(performance) * Number(quality), 6);
    expect(Number(performance)).toBeGreaterThan(0.5);
    expect(Number(performance)).toBeLessThan(1.1);
  });

  it('of minutes by state add up, and time out of reach counts as such', async () => {
    const [row] = await ask(influxql.minutesByState, packed);
    const { time: _, machine: __, ...minutes } = row ?? {};
    const total = Object.values(minutes).reduce<number>((sum, value) => sum + Number(value ?? 0), 0);
    expect(total).toBeGreaterThan(((toMs - fromMs) / 60_000) * 0.95);
    expect(total).toBeLessThanOrEqual((toMs - fromMs) / 60_000 + 1);
    expect(number(row, 'agentOffline')).toBeGreaterThanOrEqual(2);
    // Nothing of a machine that is cut off counts as the state before.
    const since = await ask(influxql.minutesByState, packed, { fromMs: cutFromMs + 60_000, toMs });
    expect(since.map(({ running }) => running ?? null)).toEqual(since.map(() => null));
  });

  it('of a range that ends in the future, as "today" does, count no minute that is yet to come', async () => {
    const running = 'g/e/today';
    const times = { fromMs: Date.now() - 60 * 60_000, toMs: Date.now() + 2 * 60 * 60_000 };
    const texts = [`metric=State s="running"`, `metric=State/Reason s="jam"`];
    await influx.write(texts.map((text) => `samples,machine=${running},${text} ${times.fromMs}000000`).join('\n'));
    const [row] = await ask(influxql.minutesByState, running, times);
    const [availability] = await ask(influxql.oeePart('availability'), running, times);
    const reasons = await ask(influxql.reasonMinutes, running, times);
    const elapsed = Math.ceil((Date.now() - times.fromMs) / 60_000) + 1;
    expect(number(row, 'running')).toBeGreaterThanOrEqual(60);
    expect(number(row, 'running')).toBeLessThanOrEqual(elapsed);
    expect(reasons.length).toBeGreaterThanOrEqual(60);
    expect(reasons.length).toBeLessThanOrEqual(elapsed);
    expect(number(availability, 'availability')).toBe(1);
  });

  it('of a range that begins within a minute count a machine that reports in that minute', async () => {
    const name = 'g/e/minutely';
    const lines = Array.from({ length: 120 }, (_, i) => {
      const at = `${fromMs + i * 60_000 + 30_000}000000`;
      const fields = [`State s="${i < 60 ? 'running' : 'fault'}"`, `Count/Good v=${i * 10}`, `Count/Reject v=${i}`, 'Cycle/IdealMs v=5000'];
      return fields.map((text) => `samples,machine=${name},metric=${text} ${at}`).join('\n');
    });
    await influx.write(lines.join('\n'));
    const times = { fromMs: fromMs + 14_879, toMs: fromMs + 120 * 60_000 - 1 };
    const [minutes] = await ask(influxql.minutesByState, name, times);
    expect(minutes).toMatchObject({ running: 60, fault: 60 });
    const [row] = await ask(influxql.oee, name, times);
    // What was counted in the first minute is where the counter begins.
    const [good, reject] = [119 * 10, 119];
    const performance = ((good + reject) * 5000) / (60 * 60_000);
    expect(row).toMatchObject({ good, reject, availability: 0.5, performance: expect.closeTo(performance, 6) });
    expect(await ask(influxql.oeePart('availability'), name, times)).toMatchObject([{ availability: 0.5 }]);
    const hours = await ask(influxql.oeePart('availability', 'time(1h), '), name, times);
    expect(hours.map(({ availability }) => availability ?? null)).toEqual([1, null]);
    expect(await ask(influxql.countedBy(metricNames.countGood, 'good', ''), name, times)).toMatchObject([{ good }]);
  });

  it('of machines out of reach know those that were lost before the range', async () => {
    const hour = 3_600_000;
    const changes = [
      ['lost', 'online', fromMs - 60 * hour],
      ['lost', 'agentOffline', fromMs - 50 * hour],
      ['unread', 'plcUnreachable', fromMs - 50 * hour],
      ['back', 'agentOffline', fromMs - 50 * hour],
      ['back', 'online', fromMs - 40 * hour],
      ['later', 'online', fromMs - 50 * hour],
      ['later', 'agentOffline', toMs + hour],
    ] as const;
    const lines = changes.map(([name, text, at]) => `samples,machine=g/reach/${name},metric=Connection s="${text}" ${at}000000`);
    await influx.write(lines.join('\n'));
    const counts = async (name: string): Promise<readonly unknown[]> =>
      (await ask(influxql.outOfReach, `g/reach/${name}`)).map(({ machines }) => machines);
    expect(await counts('lost')).toEqual([1]);
    expect(await counts('unread')).toEqual([1]);
    expect(await counts('back')).toEqual([]);
    expect(await counts('later')).toEqual([]);
  });

  it('of bad quality are parts of all samples, whatever kind of value they have or lack', async () => {
    const kinds = {
      always: ['n=T,q=0i', 'n=T,q=0i', 'n=T,q=0i'],
      mostly: ['v=1', 'n=T,q=0i', 'n=T,q=500i'],
      texts: ['s="a"', 's="a",q=0i'],
      integers: ['i="9007199254740993"', 'i="9007199254740993",q=0i', 'v=1', 'v=1'],
      never: ['v=1', 'v=2', 'v=3'],
    };
    const lines = Object.entries(kinds).flatMap(([metric, values]) =>
      values.map((value, i) => `samples,machine=g/e/quality,metric=${metric} ${value} ${fromMs + i * 60_000}000000`),
    );
    await influx.write(lines.join('\n'));
    const rows = await ask(influxql.badQuality, 'g/e/quality');
    const parts = Object.fromEntries(rows.map(({ metric, bad }) => [metric, bad]));
    // Those that are never bad are not listed.
    expect(parts).toEqual({ always: 1, mostly: expect.closeTo(2 / 3, 6), texts: 0.5, integers: 0.25 });
  });

  it('of energy are the difference of the counter', async () => {
    const [row] = await ask(influxql.countedBy(metricNames.energyImport, 'energy', 'machine'));
    // From the end of the first minute.
    const counts = (await samples(metricNames.energyImport)).filter(([at], i, all) => (all[i + 1]?.[0] ?? at) >= fromMs + 60_000);
    expect(number(row, 'energy')).toBeCloseTo(Number(counts.at(-1)?.[1]) - Number(counts[0]?.[1]), 3);
    const hours = await ask(influxql.countedBy(metricNames.energyImport, 'energy', 'time(1h), machine'));
    expect(hours.reduce((sum, hour) => sum + number(hour, 'energy'), 0)).toBeCloseTo(number(row, 'energy'), 3);
  });

  it('of a counter that was reset go on from there', async () => {
    const reset = 'g/e/reset';
    // No simulated machine loses its counter.
    const values = [10, 20, 25, 0, 3, 8];
    const lines = values.map((value, i) => `samples,machine=${reset},metric=Count/Good v=${value} ${(fromMs + i * 60_000) * 1_000_000}`);
    await influx.write(lines.join('\n'));
    const [row] = await ask(influxql.countedBy(metricNames.countGood, 'good', ''), reset);
    expect(number(row, 'good')).toBe(15 + 8);
  });

  it('of alarms are as many as went on', async () => {
    const rows = await ask(influxql.alarmsBy('machine, metric'));
    for (const { metric, alarms } of rows) {
      const values = (await samples(String(metric))).map(([, value]) => Number(value));
      expect(alarms, String(metric)).toBe(values.filter((value, i) => value === 1 && values[i - 1] === 0).length);
    }
    expect(rows.length).toBeGreaterThan(0);
  });
});
