import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkUnsigned } from './check.ts';
import { millionths } from './decimal.ts';
import { covers, leavesOf, pointerOf, segmentsOf, valueAt } from './pointer.ts';
import { type SharedProduct, sharingOf, type Transform } from './policy.ts';
import { alwaysSent } from './policy-check.ts';
import { applyPolicy, applyPolicyToStatus } from './policy-filter.ts';
import type { MachineStatus, ReportContent } from './report.ts';
import { schemas } from './schema-check.ts';
import { resolved, type SchemaNode } from './schema-path.ts';
import { examplePolicy } from './testing/example-policy.ts';
import { exampleContent, exampleNowMs } from './testing/example-report.ts';
import { randomContent } from './testing/random-report.ts';

const apply = (report: ReportContent, product: Partial<SharedProduct> = {}) =>
  applyPolicy(report, examplePolicy(product), 'sector-platform');

/** What leaves; fails when nothing does. */
function sent(report: ReportContent, product: Partial<SharedProduct> = {}) {
  const result = apply(report, product);
  if (!result.ok) throw new Error(result.message.en);
  return result;
}

const everything = ['/machines', '/production', '/energy', '/coverage', '/quality', '/lineage'];

describe('the example', () => {
  it('sends what is included and keeps back what is excluded', () => {
    const { filtered, left, removed, changed } = sent(exampleContent);
    expect(filtered.machines).toEqual({ secondsByState: exampleContent.machines.secondsByState });
    expect(filtered.lineage).toBeUndefined();
    expect(removed).toEqual([
      '/machines/downtimeByReason/0/reason',
      '/machines/downtimeByReason/0/seconds',
      '/machines/downtimeByReason/0/events',
      '/machines/downtimeByReason/1/reason',
      '/machines/downtimeByReason/1/seconds',
      '/machines/downtimeByReason/1/events',
      '/lineage/agent',
      '/lineage/sourceHash',
    ]);
    expect(left).toContain('/production/output/0/produced');
    expect(changed).toEqual(['/production/output/0/productCode']);
    expect(filtered.production.output[0]?.productCode).toBe('14100');
  });

  it('sends nothing that is not included: by default a report cannot even be made', () => {
    expect(apply(exampleContent, { include: [], exclude: [], transform: [] })).toMatchObject({
      ok: false,
      reason: 'required_field',
      pointer: '/coverage',
    });
  });
});

describe('what the contract must have', () => {
  it('is empty where a list is kept back, and says so', () => {
    const { filtered } = sent(exampleContent, { include: ['/machines', '/coverage'], transform: [] });
    expect(filtered).toMatchObject({
      energy: [],
      production: { output: [] },
      quality: {
        flags: [
          { path: '/production/output', obsStatus: 'Q', note: 'withheld' },
          { path: '/energy', obsStatus: 'Q', note: 'withheld' },
        ],
      },
    });
  });

  it.each<[string, readonly string[], string]>([
    ['/energy/*/quantity', everything, '/energy/0/quantity'],
    ['/production/kpi/pbtSeconds', everything, '/production/kpi/pbtSeconds'],
    ['/coverage', everything, '/coverage'],
    ['/machines/secondsByState/idle', everything, '/machines/secondsByState/idle'],
  ])('refuses a report without %s by its name', (path, include, pointer) => {
    const refused = apply(exampleContent, { include, exclude: [path], transform: [] });
    expect(refused).toMatchObject({ ok: false, reason: 'required_field', pointer, message: { en: expect.stringContaining(pointer) } });
  });

  it('takes back a report under any policy', () => {
    const withdrawn: ReportContent = {
      ...exampleContent,
      revision: 2,
      supersedes: { reportId: exampleContent.reportId, digest: `sha-256:${'0'.repeat(64)}` },
      revisionReason: 'withdrawal',
      status: 'withdrawn',
      coverage: { machinesTotal: 0, machinesInstrumented: 0, secondsExpected: 0, secondsObserved: 0 },
      production: { output: [] },
      energy: [],
      quality: { flags: [] },
    };
    expect(sent(withdrawn, { include: ['/machines/secondsByState', '/coverage'] }).filtered.quality.flags).toEqual([]);
  });
});

describe('refuses', () => {
  it('short periods, few machines, another enterprise, other times, other recipients', () => {
    const hour = { ...exampleContent.period, duration: 'PT1H' } as const;
    expect(apply({ ...exampleContent, period: hour })).toMatchObject({ ok: false, reason: 'period_too_short' });
    expect(apply(exampleContent, { minMachines: 21 })).toMatchObject({ ok: false, reason: 'too_few_machines' });
    expect(apply({ ...exampleContent, reporter: { ...exampleContent.reporter, enterpriseId: '0100109106' } })).toMatchObject({
      reason: 'other_owner',
    });
    expect(apply({ ...exampleContent, issuedAt: '2025-12-31T00:00:00+07:00' })).toMatchObject({ ok: false, reason: 'not_active' });
    expect(apply(exampleContent, { exclude: ['/nothing'] })).toMatchObject({ ok: false, reason: 'policy_invalid' });
    expect(applyPolicy(exampleContent, examplePolicy(), 'nobody')).toMatchObject({ ok: false, reason: 'unknown_recipient' });
    const local = {
      ...exampleContent.production.output[0],
      productScheme: 'LOCAL',
      productCode: 'AO-17',
    } as ReportContent['production']['output'][0];
    expect(apply({ ...exampleContent, production: { output: [local] } })).toMatchObject({
      ok: false,
      reason: 'no_code_level',
      pointer: '/production/output/0/productCode',
    });
  });
});

it('adds up products that become the same, and moves their flags', () => {
  const [row] = exampleContent.production.output as [ReportContent['production']['output'][0]];
  const { scrap: _, ...noScrap } = row;
  const output = [
    row,
    { ...row, productCode: '1511010' },
    { ...noScrap, productCode: '1410009', produced: '0.5', good: '0.5', rework: '0' },
  ];
  const flags = [
    { path: '/production/output/2/good', obsStatus: 'E' },
    { path: '/production/output/2/rework', obsStatus: 'E' },
  ];
  const { filtered } = sent(
    { ...exampleContent, production: { output }, quality: { flags } },
    { include: everything, transform: [{ path: '/production/output/*/productCode', op: 'code_level', arg: 4 }] },
  );
  expect(filtered.production.output).toHaveLength(2);
  expect(filtered.production.output[0]).toEqual({
    ...{ ...noScrap, productCode: '1410', produced: '19800.5', good: '19404.5', rework: '198' },
    ...{ idealSeconds: 1_584_000, idealSecondsGood: 1_552_320, ratedCapacity: '80000' },
  });
  expect(filtered.quality.flags.map(({ path }) => path)).toEqual(['/production/output/0/good', '/production/output/0/rework']);
});

it('loses nothing when it adds up', () => {
  const total = (
    report: ReportContent,
    key: 'produced' | 'good' | 'scrap' | 'rework' | 'ratedCapacity' | 'idealSeconds' | 'idealSecondsGood',
  ): bigint => report.production.output.reduce((sum, row) => sum + millionths(row[key] ?? 0), 0n);
  fc.assert(
    fc.property(randomContent, (report) => {
      const transform: Transform[] = [{ path: '/production/output/*/productCode', op: 'code_level', arg: 2 }];
      const { filtered } = sent(report, { include: everything, minMachines: 0, transform });
      expect(filtered.production.output.length).toBeLessThanOrEqual(2);
      for (const key of ['produced', 'good', 'scrap', 'rework', 'ratedCapacity', 'idealSeconds', 'idealSecondsGood'] as const) {
        expect(total(filtered, key), key).toBe(total(report, key));
      }
    }),
  );
});

it('flags what it made coarse, so that sums that no longer fit are still believed, and no others', () => {
  const transform: Transform[] = [
    { path: '/machines/secondsByState', op: 'round', arg: 1 },
    { path: '/energy/*/quantity', op: 'bucket', arg: '500' },
  ];
  const { filtered, changed } = sent(exampleContent, { include: everything, transform });
  expect(filtered.machines.secondsByState.running).toBe(900_000);
  expect(filtered.energy[0]?.quantity).toBe('4000');
  expect(changed).toContain('/energy/0/quantity');
  expect(filtered.quality.flags).toContainEqual({ path: '/machines/secondsByState/running', obsStatus: 'A', note: 'rounded', digits: 1 });
  expect(filtered.quality.flags).toContainEqual({ path: '/energy/0/quantity', obsStatus: 'A', note: 'bucketed', width: '500' });
  const report = { ...filtered, sharing: sharingOf(examplePolicy(), 'sector-platform') };
  const codes = (value: unknown): string[] => checkUnsigned(value, { nowMs: exampleNowMs }).findings.map(({ code }) => code);
  expect(codes(report)).toEqual([]);
  expect(codes({ ...report, quality: { flags: [] } })).toEqual(['E101', 'E102']);
  const impossible = { ...report, machines: { secondsByState: { ...report.machines.secondsByState, running: 2_000_000 } } };
  expect(codes(impossible)).toContain('E101');
});

/** Every pointer of the contract that a policy may name. */
const pointers = pointersOf(schemas.report as SchemaNode, '').filter((pointer) => !/^\/(sharing|signature)/.test(pointer));
const isEnvelope = (pointer: string): boolean =>
  alwaysSent['vn.sector.production-report'].some(
    (own) => own === pointer || own.startsWith(`${pointer}/`) || pointer.startsWith(`${own}/`),
  );
const excludable = pointers.filter((pointer) => !isEnvelope(pointer) && !pointer.startsWith('/quality'));
const enough = ['/coverage', '/machines/secondsByState'];

const policies = fc.record({
  include: fc.uniqueArray(fc.constantFrom(...pointers, ...everything), { maxLength: 8 }).map((list) => [...new Set([...enough, ...list])]),
  exclude: fc.uniqueArray(fc.constantFrom(...excludable), { maxLength: 3 }),
});

it('never lets an excluded value leave, nor one that is not included, whatever the policy', () => {
  let made = 0;
  fc.assert(
    fc.property(randomContent, policies, (report, { include, exclude }) => {
      const result = apply(report, { include, exclude, minMachines: 0, transform: [] });
      if (!result.ok) {
        expect(result.reason).toBe('required_field');
        return;
      }
      made += 1;
      const { filtered, left, removed } = result;
      const source = new Map(leavesOf(report).map(({ path, value }) => [pointerOf(path), value]));
      for (const { path, value } of leavesOf(filtered)) {
        const pointer = pointerOf(path);
        // Written by the filter itself: empty lists, and flags, which may move up in their list.
        if (path[0] === 'quality' || (Array.isArray(value) && value.length === 0)) continue;
        expect(
          exclude.some((pattern) => covers(segmentsOf(pattern), path)),
          pointer,
        ).toBe(false);
        expect(isEnvelope(pointer) || include.some((pattern) => covers(segmentsOf(pattern), path)), pointer).toBe(true);
        expect(source.get(pointer), pointer).toBe(value);
      }
      for (const { path } of filtered.quality.flags) expect(valueAt(filtered, path), path).toBeDefined();
      for (const pointer of removed) expect(source.has(pointer), pointer).toBe(true);
      const both = new Set([...left, ...removed]);
      for (const [pointer, value] of source) expect(Array.isArray(value) || both.has(pointer), pointer).toBe(true);
    }),
    { numRuns: 300 },
  );
  // Many random policies ask for half of a row and are refused; enough must remain.
  expect(made).toBeGreaterThan(40);
});

it('keeps a sound report sound, however coarse it is made', () => {
  const roundable = ['/coverage', '/machines/secondsByState', '/production/kpi', '/energy/*/quantity'];
  const parts = ['produced', 'good', 'scrap', 'rework', 'idealSeconds', 'idealSecondsGood', 'ratedCapacity'].map(
    (key) => `/production/output/*/${key}`,
  );
  const change = (path: string): fc.Arbitrary<Transform> =>
    fc.oneof(
      fc.integer({ min: 1, max: 6 }).map((arg): Transform => ({ path, op: 'round', arg })),
      fc.constantFrom('1', '7', '60', '1000', '86400').map((arg): Transform => ({ path, op: 'bucket', arg })),
    );
  const transforms = fc.subarray([...roundable, ...parts]).chain((paths) => fc.tuple(...paths.map(change)));
  const level = fc.constantFrom<Transform[]>([], [{ path: '/production/output/*/productCode', op: 'code_level', arg: 4 }]);
  fc.assert(
    fc.property(randomContent, transforms, level, (report, coarse, codes) => {
      const { filtered } = sent(report, { include: everything, exclude: [], minMachines: 0, transform: [...codes, ...coarse] });
      const unsigned = { ...filtered, sharing: sharingOf(examplePolicy(), 'sector-platform') };
      const { findings } = checkUnsigned(unsigned, { nowMs: exampleNowMs });
      expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('sends of a machine status its required fields and what is included', () => {
  const status: MachineStatus = {
    machineRef: 'm_AAAAAAAAAAAAAAAAAAAAAA',
    machineClass: 'press',
    state: 'running',
    since: '2026-03-01T07:55:12+07:00',
    seq: 81,
    operationMode: 'processing',
    packmlState: 6,
    consentId: 'urn:consent:2026-0077',
  };
  const { operationMode: _, ...expected } = status;
  expect(applyPolicyToStatus(status, examplePolicy(), 'sector-platform', exampleNowMs)).toMatchObject({
    ok: true,
    filtered: expected,
    removed: ['/operationMode'],
  });
  expect(applyPolicyToStatus(status, examplePolicy(), 'sector-platform', 0)).toMatchObject({ ok: false, reason: 'not_active' });
});

function pointersOf(node: SchemaNode, pointer: string): string[] {
  const here = resolved(schemas.report as SchemaNode, node);
  const own = pointer === '' ? [] : [pointer];
  if (here.items !== undefined) return [...own, ...pointersOf(here.items, `${pointer}/*`)];
  return [...own, ...Object.entries(here.properties ?? {}).flatMap(([key, each]) => pointersOf(each, `${pointer}/${key}`))];
}
