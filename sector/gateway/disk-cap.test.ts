import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { millionths } from '../contract/decimal.ts';
import type { ProductionReport } from '../contract/report.ts';
import { oldestMerge } from './disk-cap.ts';
import { kwhText, type PlantFigures } from './figures.ts';
import { itemOf } from './testing/item.ts';
import { type ModelPlatform, startModelPlatform } from './testing/model-platform.ts';
import { createTestGateway, dayMs, hourMs, policyYaml, startMs, type TestGateway } from './testing/test-gateway.ts';
import { createTestPlant } from './testing/test-plant.ts';

let platform: ModelPlatform;
beforeAll(async () => {
  platform = await startModelPlatform();
});
afterAll(() => platform.close());
beforeEach(() => {
  (platform.series as Map<string, Buffer[]>).clear();
});

const plantOf = (now: () => number) =>
  createTestPlant({ seed: 3, machines: 2, fromMs: startMs, toMs: startMs + 5 * dayMs, lateEvery: 1e9, now });

/** Every hour is a report; a few of them fill the queue. */
async function fullGateway(figures = (now: () => number): PlantFigures => plantOf(now).figures): Promise<TestGateway> {
  const test = createTestGateway({
    figures,
    platformKey: platform.key.privateKey,
    secret: platform.clientSecret,
    periods: ['PT1H'],
    config: { maxQueueBytes: 20_000 },
    intervalMs: 30 * dayMs,
  });
  test.setPolicy(policyYaml({ url: platform.url, hold: 'PT0M' }));
  await test.gateway.start();
  await test.gateway.work();
  await test.approveAll();
  await test.gateway.work();
  return test;
}

async function itemsOf(test: TestGateway) {
  const items = [];
  for (let before: number | undefined = Number.POSITIVE_INFINITY; before !== undefined; ) {
    const page = await test.gateway.desk.items({ before, limit: 200 });
    items.push(...page.items);
    before = page.next;
  }
  return items;
}

/** Hours that some report stands for which waits or has left: their own, or that of their day. */
async function toldHours(test: TestGateway): Promise<ReadonlySet<number>> {
  const told = new Set<number>();
  for (const { state, period } of await itemsOf(test)) {
    if (!['held', 'approved', 'sealed', 'sending', 'accepted', 'duplicate'].includes(state)) continue;
    for (let atMs = Date.parse(period.from); atMs < Date.parse(period.to); atMs += hourMs) told.add((atMs - startMs) / hourMs);
  }
  return told;
}

const alarmsOf = async (test: TestGateway) => (await test.gateway.desk.overview()).alarms.map(({ code }) => code);

describe('a queue that is full', () => {
  it('makes no more reports of a day that still runs, says so, and merges its hours as soon as it is over', async () => {
    const test = await fullGateway();
    await test.clock.advance(20 * hourMs);
    await test.gateway.work();
    const hours = await itemsOf(test);
    expect(hours.length).toBeGreaterThan(3);
    expect(hours.length).toBeLessThan(20);
    expect(await alarmsOf(test)).toEqual(['outbox_full']);
    await test.clock.advance(5 * hourMs);
    await test.gateway.work();
    expect(await alarmsOf(test)).toEqual([]);
    const [day] = (await itemsOf(test)).filter(({ period }) => period.duration === 'P1D');
    expect(day).toMatchObject({ state: 'held', period: { from: '2026-03-01T00:00:00+07:00' } });
    const merged = (await itemsOf(test)).filter(({ mergedInto }) => mergedInto === day?.id);
    expect(merged.map(({ state }) => state)).toEqual(merged.map(() => 'superseded'));
    expect(merged.length).toBeGreaterThanOrEqual(hours.length);
    const report = JSON.parse((await test.gateway.desk.item(day?.id ?? '')).text ?? '') as ProductionReport;
    const truth = plantOf(() => test.clock.now()).truth(startMs, startMs + dayMs);
    expect(report.production.output.reduce((sum, { good }) => sum + millionths(good), 0n)).toBe(millionths(truth.parts.good));
    expect([...(await toldHours(test))].sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, hour) => hour));
    await test.gateway.stop();
  });

  it('loses no hour over days in which nobody approves, and stays within its bounds', async () => {
    const test = await fullGateway();
    for (let hours = 0; hours < 4 * 24; hours += 6) {
      await test.clock.advance(6 * hourMs);
      await test.gateway.work();
      const { queueBytes, maxQueueBytes } = await test.gateway.desk.overview();
      // One report more than the bound, since it is looked at before.
      expect(queueBytes).toBeLessThan(maxQueueBytes + 5000);
    }
    await test.approveAll();
    for (let pass = 0; pass < 20; pass++) {
      await test.approveAll();
      await test.gateway.work();
    }
    const told = await toldHours(test);
    expect(Array.from({ length: 4 * 24 }, (_, hour) => hour).filter((hour) => !told.has(hour))).toEqual([]);
    expect(platform.conflicts).toEqual([]);
    await test.gateway.stop();
  }, 120_000);

  it('tells late data of an hour that was merged as a revision of its day', async () => {
    const plant = plantOf(() => 0);
    const lateWh = 1_000_000;
    let isLate = false;
    const test = await fullGateway((now) => ({
      site: async ({ fromMs, toMs }) => {
        const figures = plant.truth(fromMs, Math.min(toMs, now()));
        if (!isLate || fromMs > startMs || toMs <= startMs) return figures;
        const energyWh = (figures.parts.energyWh ?? 0) + lateWh;
        const energy = figures.energy.map((row) => ({ ...row, quantity: kwhText(energyWh) }));
        return { ...figures, parts: { ...figures.parts, energyWh }, energy };
      },
    }));
    await test.clock.advance(25 * hourMs);
    await test.gateway.work();
    const first = (await itemsOf(test)).find(({ period, mergedInto }) => mergedInto !== undefined && Date.parse(period.from) === startMs);
    expect(first?.state).toBe('superseded');
    isLate = true;
    for (let hours = 0; hours < 24; hours += 12) {
      await test.approveAll();
      // Virtual time must not run on while a real request is under way.
      for (let pass = 0; pass < 3; pass++) await test.gateway.work();
      await test.clock.advance(12 * hourMs);
      await test.gateway.work();
    }
    await test.approveAll();
    for (let pass = 0; pass < 3; pass++) await test.gateway.work();
    const revisions = [...platform.series].find(([key]) => key.includes('2026-03-01T00:00:00+07:00/P1D/'))?.[1] ?? [];
    const quantities = revisions.map((bytes) => (JSON.parse(String(bytes)) as ProductionReport).energy[0]?.quantity);
    const wh = plant.truth(startMs, startMs + dayMs).parts.energyWh ?? 0;
    expect(quantities).toEqual([kwhText(wh), kwhText(wh + lateWh)]);
    await test.gateway.stop();
  }, 120_000);
});

describe('what to merge first', () => {
  const hour = (no: number, parts: Parameters<typeof itemOf>[0] = {}) =>
    itemOf({ id: `h${no}`, duration: 'PT1H', fromMs: startMs + no * hourMs, toMs: startMs + (no + 1) * hourMs, ...parts });
  const nowMs = startMs + 3 * dayMs;

  it('is the oldest day with two hours that nobody has sealed', () => {
    const items = [hour(0), hour(25), hour(26, { state: 'approved' }), hour(27, { state: 'sealed' }), hour(50), hour(51)];
    expect(oldestMerge(items, '00:00', nowMs)?.hours.map(({ id }) => id)).toEqual(['h25', 'h26']);
  });

  it('never is a day that runs, what is sent, another recipient, or a withdrawal', () => {
    expect(oldestMerge([hour(0), hour(1)], '00:00', startMs + 2 * hourMs)).toBeUndefined();
    expect(oldestMerge([hour(0, { state: 'sending' }), hour(1)], '00:00', nowMs)).toBeUndefined();
    expect(oldestMerge([hour(0), hour(1, { recipient: 'khac' })], '00:00', nowMs)).toBeUndefined();
    expect(oldestMerge([hour(0), hour(1, { status: 'withdrawn' })], '00:00', nowMs)).toBeUndefined();
  });

  it('follows the day of the books, which may begin at six', () => {
    expect(oldestMerge([hour(5), hour(6)], '06:00', nowMs)).toBeUndefined();
    expect(oldestMerge([hour(6), hour(29)], '06:00', nowMs)?.day.from).toBe('2026-03-01T06:00:00+07:00');
  });
});
