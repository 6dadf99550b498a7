import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasInfluxd } from '../../test/harness/influxd.ts';
import { type AlertSpec, alertSpecs } from './alert-spec.ts';
import { boards } from './boards/registry.ts';
import { alertFile, alertRule } from './build-alerts.ts';
import { languages } from './language.ts';
import { interpolate } from './testing/grafana-macros.ts';
import { type InfluxFixture, startInfluxFixture } from './testing/influx-fixture.ts';
import { readSchemas } from './testing/panel-schemas.ts';
import { toMs } from './testing/plant-history.ts';

const overInflux = alertSpecs.filter(({ source }) => source === 'influx');
let influx: InfluxFixture;

beforeAll(async () => {
  if (hasInfluxd) influx = await startInfluxFixture();
});
afterAll(() => influx?.close());

/** As Grafana would judge at `nowMs`: the last value of each series against the limit. */
async function firing({ query, rangeS, alertsWhen }: AlertSpec, nowMs: number): Promise<readonly string[]> {
  const rows = await influx.ask(interpolate(query, { fromMs: nowMs - rangeS * 1000, toMs: nowMs, intervalMs: 60_000, variables: {} }));
  const last = new Map<string, number>();
  for (const { time: _, machine, edge, reason, ...fields } of rows) {
    const [value] = Object.values(fields);
    if (typeof value === 'number') last.set([machine, edge, reason].filter((label) => label !== undefined).join(' '), value);
  }
  return [...last].filter(([, value]) => (alertsWhen.is === 'gt' ? value > alertsWhen.than : value < alertsWhen.than)).map(([key]) => key);
}

function byUid(uid: string): AlertSpec {
  const found = alertSpecs.find((spec) => spec.uid === uid);
  if (found === undefined) throw new Error(`no rule ${uid}`);
  return found;
}

describe.skipIf(!hasInfluxd)('alert rules over InfluxDB (needs influxd: apt-get install influxdb)', () => {
  it.each(overInflux)('the query of $uid returns rows', async ({ query, rangeS }) => {
    const rows = await influx.ask(
      interpolate(query, { fromMs: toMs - 3_217 - rangeS * 1000, toMs: toMs - 3_217, intervalMs: 60_000, variables: {} }),
    );
    expect(rows.length).toBeGreaterThan(0);
  });

  it('fire for the edge agent that is cut off, for losses, and for nothing else of them', async () => {
    const offline = await firing(byUid('nhip-edge-offline'), toMs);
    expect(offline).toContain('hoalac/edge-pack/CHI-01');
    expect(offline.filter((machine) => machine.includes('edge-cnc'))).toEqual([]);
    expect(await firing(byUid('nhip-loss'), toMs)).toEqual(['hoalac/edge-pack outboxQuota']);
    expect(await firing(byUid('nhip-dead-letters'), toMs)).toEqual(['hoalac/edge-pack']);
    expect(await firing(byUid('nhip-outbox-fills'), toMs)).toEqual([]);
    expect(await firing(byUid('nhip-no-samples'), toMs)).toEqual([]);
    expect(await firing(byUid('nhip-bad-quality'), toMs)).toEqual([]);
  });

  it('fire for a machine in fault that says so every minute, at whatever second it is judged', async () => {
    const beginsMs = toMs + 2 * 86_400_000;
    const lines = Array.from({ length: 30 }, (_, i) => {
      const at = `${beginsMs + i * 60_000 + 30_000}000000`;
      const states = { stuck: 'fault', busy: i < 22 ? 'running' : 'fault' };
      return Object.entries(states).map(([name, state]) => `samples,machine=g/fault/${name},metric=State s="${state}" ${at}`);
    });
    await influx.write(lines.flat().join('\n'));
    for (const second of [0, 10, 50]) {
      expect(await firing(byUid('nhip-machine-fault'), beginsMs + 30 * 60_000 + second * 1000), String(second)).toEqual(['g/fault/stuck']);
    }
  });

  it('fire for a machine of which much is bad, also when nothing of it is good', async () => {
    const nowMs = toMs + 86_400_000;
    const machines = { dead: 20, poor: 3, good: 1, best: 0 };
    const lines = Object.entries(machines).flatMap(([name, bad]) =>
      Array.from({ length: 20 }, (_, i) => {
        const fields = i < bad ? 'n=T,q=0i' : 'v=1';
        return `samples,machine=g/quality/${name},metric=Temp ${fields} ${nowMs - (i + 1) * 60_000}000000`;
      }),
    );
    await influx.write(lines.join('\n'));
    const rule = byUid('nhip-bad-quality');
    expect(await firing(rule, nowMs)).toEqual(['g/quality/dead', 'g/quality/poor']);
    const range = { fromMs: nowMs - rule.rangeS * 1000, toMs: nowMs, intervalMs: 60_000, variables: {} };
    const parts = (await influx.ask(interpolate(rule.query, range))).map(({ machine, bad }) => [machine, bad]);
    expect(parts).toEqual([
      ['g/quality/best', 0],
      ['g/quality/dead', 1],
      ['g/quality/good', 0.05],
      ['g/quality/poor', 0.15],
    ]);
  });

  it('know a machine that fell silent from one that speaks', async () => {
    expect(await firing(byUid('nhip-machine-silent'), toMs)).toEqual([]);
    expect(await firing(byUid('nhip-machine-silent'), toMs + 25 * 60_000)).toContain('hoalac/edge-cnc/CNC-01');
    // Count 0 is no row: "no data" is what fires then.
    const { query } = byUid('nhip-no-samples');
    const later = { fromMs: toMs + 3_600_000, toMs: toMs + 4_200_000, intervalMs: 60_000, variables: {} };
    expect(await influx.ask(interpolate(query, later))).toEqual([]);
    expect(byUid('nhip-no-samples').noData).toBe('Alerting');
  });
});

describe('alert rules', () => {
  it('are what the schema of Grafana allows', () => {
    const schemas = readSchemas();
    for (const spec of alertSpecs) {
      const { dashboardUid, panelId, ...rule } = alertRule(spec, 'vi');
      expect(schemas.alertRule({ ...rule, orgID: 1, folderUID: 'nhip', ruleGroup: 'nhip' }), spec.uid).toEqual([]);
    }
  });

  it('show a panel that is there, and have words in both languages', () => {
    expect(new Set(alertSpecs.map(({ uid }) => uid)).size).toBe(alertSpecs.length);
    for (const { uid, panel, title, summary } of alertSpecs) {
      const board = boards.find(({ id }) => id === panel[0]);
      expect(
        board?.panels.some(({ id }) => id === panel[1]),
        uid,
      ).toBe(true);
      for (const language of languages) {
        expect(title[language]).not.toBe('');
        // A dollar would be taken for a variable of the environment.
        expect(summary[language]).toMatch(/^[^$]+$/);
      }
    }
    const rules = languages.map((language) =>
      (['influx', 'prometheus'] as const).flatMap((source) => alertFile(source, language).groups[0]?.rules ?? []),
    );
    expect(rules.map((list) => list.map(({ uid }) => uid).sort())).toEqual(languages.map(() => alertSpecs.map(({ uid }) => uid).sort()));
  });
});
