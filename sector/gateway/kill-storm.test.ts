import { secondsByState } from '@nhip/core/kpi/seconds';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { millionths } from '../contract/decimal.ts';
import { digestOfBytes } from '../contract/digest.ts';
import { machineStates, type ProductionReport } from '../contract/report.ts';
import { type ModelPlatform, startModelPlatform, type Trouble } from './testing/model-platform.ts';
import { createTestGateway, dayMs, hourMs, policyYaml, startMs, type TestGateway } from './testing/test-gateway.ts';
import { createTestPlant, type TestPlant } from './testing/test-plant.ts';

let platform: ModelPlatform;
beforeAll(async () => {
  platform = await startModelPlatform();
});
afterAll(() => platform.close());

const troubles: readonly Trouble[] = ['none', 'none', 'none', 'refuse-connection', 'lost', 'busy', 'forged-receipt', 'token-forgotten'];

/** Works until nothing changes; a process that is killed meanwhile is followed by another one. */
async function live(test: TestGateway, died: Promise<void>): Promise<void> {
  const isDead = await Promise.race([test.gateway.work().then(() => false), died.then(() => true)]);
  if (isDead) await test.restart();
}

function sumsOf(reports: readonly ProductionReport[]) {
  const states = machineStates.map((state) => reports.reduce((sum, { machines }) => sum + machines.secondsByState[state], 0));
  const output = reports.flatMap(({ production }) => production.output);
  const good = output.reduce((sum, row) => sum + millionths(row.good), 0n);
  const scrap = output.reduce((sum, row) => sum + millionths(row.scrap ?? '0'), 0n);
  const kwh = reports.flatMap(({ energy }) => energy).reduce((sum, row) => sum + millionths(row.quantity), 0n);
  return { states, good, scrap, wh: kwh / 1000n };
}

function newest(duration: string): readonly ProductionReport[] {
  const last = [...platform.series].flatMap(([key, revisions]) => (key.includes(`/${duration}/`) ? [revisions.at(-1)] : []));
  return last.map((bytes) => JSON.parse(String(bytes)) as ProductionReport);
}

describe('seven days with power cuts, kills, a bad line and late data', () => {
  it('end with every period accepted once per revision, and with the sums of the plant to the second, piece and Wh', async () => {
    const random = createSimRandom(20_260_301);
    let plant: TestPlant | undefined;
    const test = createTestGateway({
      figures: (now) => {
        plant = createTestPlant({ seed: 42, machines: 4, fromMs: startMs, toMs: startMs + 13 * dayMs, lateEvery: 9, now });
        return plant.figures;
      },
      platformKey: platform.key.privateKey,
      secret: platform.clientSecret,
      approval: 'standing',
      periods: ['PT1H', 'P1D'],
      intervalMs: 300_000,
    });
    test.setPolicy(policyYaml({ url: platform.url, hold: 'PT30M' }));
    await test.gateway.start();
    await test.gateway.work();
    await test.approveAll();
    platform.trouble = () => troubles[Math.floor(random.next() * troubles.length)] ?? 'none';
    let deaths = 0;
    for (let atMs = 0; atMs < 8 * dayMs; ) {
      const stepMs = Math.floor(random.next() * 5 * hourMs);
      atMs += stepMs;
      const operations = 1 + Math.floor(random.next() * 120);
      const died = random.next() < 0.5 ? test.disk.crashAfter(operations, random) : test.disk.killAfter(operations, random);
      let isDead = false;
      void died.then(() => {
        deaths++;
        isDead = true;
      });
      await test.clock.advance(stepMs);
      if (isDead) await test.restart();
      else await live(test, died);
      test.disk.spare();
    }
    platform.trouble = undefined;
    // The figures of the last hours have come in; backoff and preview are over.
    for (let quiet = 0; quiet < 8; quiet++) {
      await test.clock.advance(6 * hourMs);
      await test.gateway.work();
    }

    // Virtual time runs on while real requests are under way, so one may have timed out at the very end.
    for (let tries = 0; tries < 50 && (await test.gateway.desk.items({ states: ['sending'] })).items.length > 0; tries++) {
      await test.clock.advance(1_000_000);
      await test.gateway.work();
    }

    expect(deaths).toBeGreaterThan(20);
    expect(platform.conflicts).toEqual([]);
    const open = await test.gateway.desk.items({ states: ['held', 'approved', 'sealed', 'sending', 'rejected'], limit: 200 });
    expect(open.items.filter(({ period }) => Date.parse(period.to) <= startMs + 7 * dayMs)).toEqual([]);
    const truth = plant?.truth(startMs, startMs + 7 * dayMs);
    for (const duration of ['PT1H', 'P1D']) {
      const reports = newest(duration).filter(({ period }) => Date.parse(period.to) <= startMs + 7 * dayMs);
      expect(reports).toHaveLength(duration === 'P1D' ? 7 : 168);
      const sums = sumsOf(reports);
      for (const [index, state] of machineStates.entries()) {
        expect(Math.abs((sums.states[index] ?? 0) - (truth?.parts.statesMs[state] ?? 0) / 1000)).toBeLessThan(reports.length);
      }
      expect(sums.states.reduce((sum, each) => sum + each, 0)).toBe(4 * 7 * 86_400);
      expect(sums.good).toBe(millionths(truth?.parts.good ?? 0));
      expect(sums.scrap).toBe(millionths(truth?.parts.scrap ?? 0));
      expect(sums.wh).toBe(BigInt(truth?.parts.energyWh ?? 0));
      // Every report says of its own period exactly what the plant knows.
      for (const report of reports) {
        const own = plant?.truth(Date.parse(report.period.from), Date.parse(report.period.to));
        expect(sumsOf([report]).good).toBe(millionths(own?.parts.good ?? 0));
        expect(report.machines.secondsByState).toEqual(secondsByState(own?.parts.statesMs ?? report.machines.secondsByState));
      }
    }
    // Each revision at the platform is one accepted item here, with these bytes.
    const stored = [...platform.series.values()].flat().map((bytes) => digestOfBytes(bytes));
    expect(new Set(stored).size).toBe(stored.length);
    const accepted: string[] = [];
    for (let before: number | undefined = Number.POSITIVE_INFINITY; before !== undefined; ) {
      const page = await test.gateway.desk.items({ states: ['accepted', 'duplicate'], before, limit: 200 });
      accepted.push(...page.items.map(({ digest }) => digest ?? ''));
      before = page.next;
    }
    expect([...accepted].sort()).toEqual([...stored].sort());
    await test.gateway.stop();
  }, 120_000);
});
