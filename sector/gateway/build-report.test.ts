import { emptyParts } from '@nhip/core/kpi/parts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkUnsigned } from '../contract/check.ts';
import { periodAt } from '../contract/period.ts';
import { exampleReport } from '../contract/testing/example-report.ts';
import { buildReport, buildWithdrawal, type PlantIdentity } from './build-report.ts';
import { decimalOf, figuresDigest, kwhText, type SiteFigures, sourceHashOf } from './figures.ts';
import { createTestPlant } from './testing/test-plant.ts';

const fromMs = Date.parse('2026-03-01T00:00:00+07:00');
const dayMs = 86_400_000;
const { reporter, activity, sharing } = exampleReport;
const plant: PlantIdentity = {
  reporter,
  activity,
  products: new Map([['áo sơ mi', { scheme: 'VCPA2018', code: '1410002', unit: 'H87' }]]),
  agent: 'nhip/0.1.0',
};
const edition = {
  reportId: '0197f0c2-7c1e-7a55-8f0e-2f0b8b4f0a01',
  issuedAtMs: fromMs + 2 * dayMs,
  status: 'provisional',
  sourceHash: `sha-256:${'1'.repeat(64)}`,
} as const;
const day = periodAt(fromMs, 'P1D');

function plantOf(seed: number, machines = 3) {
  return createTestPlant({ seed, machines, fromMs, toMs: fromMs + dayMs, lateEvery: 1e9, now: () => Number.POSITIVE_INFINITY });
}

describe('the report builder', () => {
  it('makes reports of any plant that pass every check, hour or day, and say what the source says to the second, piece and Wh', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 5 }), fc.constantFrom('PT1H', 'P1D'), (seed, machines, duration) => {
        const period = periodAt(fromMs, duration);
        const truth = plantOf(seed, machines).truth(Date.parse(period.from), Date.parse(period.to));
        const report = buildReport(truth, period, plant, edition);
        const errors = checkUnsigned({ ...report, sharing }, { nowMs: edition.issuedAtMs }).findings.filter(
          ({ severity }) => severity === 'error',
        );
        expect(errors).toEqual([]);
        for (const [state, ms] of Object.entries(truth.parts.statesMs)) {
          expect(Math.abs(report.machines.secondsByState[state as 'running'] - ms / 1000)).toBeLessThan(1);
        }
        expect(report.production.output.reduce((sum, { produced }) => sum + Number(produced), 0)).toBe(truth.parts.produced);
        expect(report.energy[0]?.quantity).toBe(kwhText(truth.parts.energyWh ?? 0));
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the rules among rounded times where every rest is against them', () => {
    const parts = emptyParts();
    Object.assign(parts, { pbtMs: 3_599_500, aptMs: 3_599_500, auptMs: 3_599_500, idealMs: 1500, idealGoodMs: 1500 });
    Object.assign(parts.statesMs, { running: 3_599_500, notScheduled: 500 });
    const figures: SiteFigures = { machinesTotal: 1, machinesInstrumented: 1, parts, downtime: [], output: [], energy: [] };
    const report = buildReport(figures, periodAt(fromMs, 'PT1H'), plant, edition);
    const { findings } = checkUnsigned({ ...report, sharing }, { nowMs: edition.issuedAtMs });
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(report.machines.secondsByState.running + report.machines.secondsByState.notScheduled).toBe(3600);
  });

  it('lets no name out, wherever it stands in the figures', () => {
    const name = 'Nguyễn Thị Hoa';
    const spoil = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(spoil);
      if (typeof value !== 'object' || value === null) return value;
      const members = Object.entries(value).map(([key, member]) => [key, key === 'product' ? name : spoil(member)]);
      return { ...Object.fromEntries(members), operator: name, [name]: name, note: name };
    };
    const report = buildReport(spoil(plantOf(7).truth(fromMs, fromMs + dayMs)) as SiteFigures, day, plant, edition);
    expect(JSON.stringify(report)).not.toContain('Nguyễn');
    expect(report.production.output).toMatchObject([{ productScheme: 'LOCAL', productCode: 'UNMAPPED' }]);
  });

  it('leaves the ideal times of products out when they do not explain the total', () => {
    const truth = plantOf(3).truth(fromMs, fromMs + dayMs);
    const report = buildReport({ ...truth, parts: { ...truth.parts, idealMs: truth.parts.idealMs + 5000 } }, day, plant, edition);
    expect(report.production.output.every(({ idealSeconds }) => idealSeconds === undefined)).toBe(true);
    expect(checkUnsigned({ ...report, sharing }, { nowMs: edition.issuedAtMs }).report).toBeDefined();
  });

  it('withdraws with a revision that passes the checks', () => {
    const follows = { revision: 1, reportId: edition.reportId, digest: `sha-256:${'2'.repeat(64)}` };
    const report = buildWithdrawal(day, plant, {
      reportId: '0197f0c2-7c1e-7a55-8f0e-2f0b8b4f0a02',
      issuedAtMs: edition.issuedAtMs,
      follows,
    });
    expect(checkUnsigned({ ...report, sharing }, { nowMs: edition.issuedAtMs }).report).toMatchObject({ revision: 2, status: 'withdrawn' });
  });
});

describe('figures', () => {
  it('are named by their digest, and committed to by a hash that says nothing without its salt', () => {
    const truth = plantOf(1).truth(fromMs, fromMs + dayMs);
    expect(figuresDigest(structuredClone(truth))).toBe(figuresDigest(truth));
    expect(figuresDigest({ ...truth, machinesTotal: 9 })).not.toBe(figuresDigest(truth));
    expect(sourceHashOf(truth, 'a')).not.toBe(sourceHashOf(truth, 'b'));
  });

  it('have quantities with at most three decimals, never negative', () => {
    expect([0, 7, 0.1 + 0.2, 1234.5].map(decimalOf)).toEqual(['0', '7', '0.3', '1234.5']);
    expect(() => decimalOf(-1)).toThrow(RangeError);
    expect(kwhText(4_120_500)).toBe('4120.5');
  });
});
