import { describe, expect, it } from 'vitest';
import { type CheckContext, checkReport, checkUnsigned } from './check.ts';
import type { UnsignedReport } from './report.ts';
import { signReport } from './signature.ts';
import { exampleContent, exampleKey, exampleNowMs, exampleReport } from './testing/example-report.ts';

const key = exampleKey();
const context: CheckContext = {
  nowMs: exampleNowMs,
  findKey: (kid) => (kid === key.kid ? { publicKey: key.publicKey, validFromMs: 0 } : undefined),
};

/** Code and pointer of each finding of the example with parts replaced, signed anew. */
function found(change: Partial<UnsignedReport> & Record<string, unknown>, more: Partial<CheckContext> = {}): string[] {
  const signed = signReport({ ...exampleReport, ...change } as UnsignedReport, key);
  return checkReport(signed, { ...context, ...more }).findings.map(({ code, pointer }) => `${code} ${pointer}`);
}

const { coverage, machines, production, energy, reporter, period } = exampleContent;
const [row] = production.output as [(typeof production.output)[0]];
const [electricity] = energy as [(typeof energy)[0]];
const withOutput = (part: object): object => ({ production: { ...production, output: [{ ...row, ...part }] } });
const withKpi = (part: object): object => ({ production: { ...production, kpi: { ...production.kpi, ...part } } });
const withStates = (part: object): object => ({ machines: { secondsByState: { ...machines.secondsByState, ...part } } });

it('accepts a good report and gives it back typed', () => {
  const signed = signReport(exampleReport, key);
  expect(checkReport(signed, context)).toEqual({ findings: [], report: signed });
  expect(checkUnsigned(exampleReport, context)).toEqual({ findings: [], report: exampleReport });
});

describe('schema', () => {
  it.each<[string, object, string]>([
    ['a person', { operator: 'Nguyễn Văn A' }, '/operator'],
    ['a person deep inside', withOutput({ worker: 'nv-17' }), '/production/output/0/worker'],
    [
      'a remark',
      { quality: { flags: [{ path: '/energy/1/quantity', obsStatus: 'E', note: 'chị Lan nhập tay' }] } },
      '/quality/flags/0/note',
    ],
    ["a citizen's number for a tax code", { reporter: { ...reporter, enterpriseId: '001099012345' } }, '/reporter/enterpriseId'],
    ['a float', { energy: [{ ...electricity, quantity: 4120.5 }] }, '/energy/0/quantity'],
    ['a negative amount', { energy: [{ ...electricity, quantity: '-1' }] }, '/energy/0/quantity'],
    ['another industry than manufacturing', { activity: { scheme: 'VSIC2025', code: '0111' } }, '/activity/code'],
    [
      'a state less',
      { machines: { secondsByState: { ...machines.secondsByState, unknown: undefined } } },
      '/machines/secondsByState/unknown',
    ],
    ['revision 2 without what it replaces', { revision: 2, revisionReason: 'late_data' }, '/supersedes'],
    [
      'revision 1 that replaces something',
      { supersedes: { reportId: exampleReport.reportId, digest: exampleReport.sharing.policyDigest } },
      '/supersedes',
    ],
    ['another time zone', { period: { ...period, from: '2026-02-28T17:00:00Z' } }, '/period/from'],
    ['a day that does not exist', { period: { ...period, from: '2026-02-30T00:00:00+07:00' } }, '/period/from'],
    [
      'rounding without digits',
      { quality: { flags: [{ path: '/energy/0/quantity', obsStatus: 'A', note: 'rounded' }] } },
      '/quality/flags/0/digits',
    ],
    ['a flag on nothing', { quality: { flags: [{ path: '/energy/9/quantity', obsStatus: 'E' }] } }, '/quality/flags/0/path'],
  ])('refuses %s', (_, change, pointer) => {
    const input = JSON.parse(JSON.stringify({ ...exampleReport, ...change }));
    const { findings, report } = checkUnsigned(input, context);
    expect(findings).toContainEqual({
      code: 'SCHEMA',
      severity: 'error',
      pointer,
      message: { vi: expect.any(String), en: expect.any(String) },
    });
    expect(report).toBeUndefined();
  });

  it('refuses a withdrawn report with content, accepts it empty', () => {
    const withdrawn = {
      revision: 2,
      supersedes: { reportId: exampleReport.reportId, digest: exampleReport.sharing.policyDigest },
      revisionReason: 'withdrawal',
      status: 'withdrawn',
    } as const;
    expect(found(withdrawn)).toEqual(expect.arrayContaining(['SCHEMA /production/kpi', 'SCHEMA /production/output', 'SCHEMA /energy']));
    const empty = { ...withdrawn, production: { output: [] }, energy: [], quality: { flags: [] } };
    expect(found(empty)).toEqual([]);
    expect(found({ ...empty, revisionReason: 'late_data' })).toEqual(['SCHEMA /revisionReason']);
  });

  it('survives anything', () => {
    for (const input of [null, 1, 'x', [], {}, { quality: null }]) expect(checkReport(input, context).findings.length).toBeGreaterThan(0);
  });
});

describe('invariants', () => {
  it.each<[string, object, string[]]>([
    ['E101, a second too much', withStates({ running: 864_001 }), ['E101 /machines/secondsByState']],
    ['E102, unknown that was observed', withStates({ unknown: 35_999, idle: 108_001 }), ['E102 /machines/secondsByState/unknown']],
    ['E103, a machine more', { coverage: { ...coverage, machinesInstrumented: 21 } }, ['E103 /coverage/secondsExpected']],
    ['E104, more good than made', withOutput({ good: '19404.000001' }), ['E104 /production/output/0']],
    ['E105, more production than planned', withKpi({ pbtSeconds: 863_999 }), ['E105 /production/kpi/aptSeconds']],
    ['E105, more production than processing', withKpi({ auptSeconds: 863_999 }), ['E105 /production/kpi/auptSeconds']],
    ['E105, planned over unscheduled time', withKpi({ pbtSeconds: 1_188_001 }), ['E105 /production/kpi/pbtSeconds']],
    ['E106, products that miss the total', withOutput({ idealSeconds: 791_999 }), ['E106 /production/kpi/idealSeconds']],
    [
      'E107, a digit of the tax code',
      { reporter: { ...reporter, enterpriseId: '0999999984' } },
      ['E107 /reporter/enterpriseId', 'E111 /signature/kid'],
    ],
    ['E108, a closed province', { reporter: { ...reporter, provinceCode: '74' } }, ['E108 /reporter/provinceCode']],
    ['E109, electricity in litres', { energy: [{ ...electricity, unit: 'LTR' }], quality: { flags: [] } }, ['E109 /energy/0/unit']],
    ['E109, shirts in kWh', withOutput({ unit: 'KWH' }), ['E109 /production/output/0/unit']],
    [
      'E110, a day from noon',
      { period: { ...period, from: '2026-02-28T12:00:00+07:00', to: '2026-03-01T12:00:00+07:00' } },
      ['E110 /period/from'],
    ],
    ['W202, output of standing machines', withStates({ running: 0, idle: 972_000 }), ['W202 /production/output']],
    ['W203, faster than the ideal', withKpi({ aptSeconds: 659_999 }), ['W203 /production/kpi/idealSeconds']],
    ['W204, running on nothing', { energy: [{ ...electricity, quantity: '0' }], quality: { flags: [] } }, ['W204 /energy']],
  ])('%s', (_, change, codes) => {
    expect(found(change as Partial<UnsignedReport>)).toEqual(codes);
  });

  it('W205: accepted, with a flag', () => {
    const change = {
      ...withStates({ running: 212_000, unknown: 692_000, idle: 104_000 }),
      coverage: { ...coverage, secondsObserved: 1_036_000 },
      production: { output: production.output },
    };
    const signed = signReport({ ...exampleReport, ...change } as UnsignedReport, key);
    const { findings, report } = checkReport(signed, context);
    expect(findings.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['W205 warning']);
    expect(report).toBe(signed);
  });

  it('lets a plant without sensors declare its output', () => {
    const zero = Object.fromEntries(Object.keys(machines.secondsByState).map((state) => [state, 0]));
    const change = {
      coverage: { machinesTotal: 12, machinesInstrumented: 0, secondsExpected: 0, secondsObserved: 0 },
      machines: { secondsByState: zero },
      production: { output: [{ ...row, origin: 'declared', idealSeconds: undefined, idealSecondsGood: undefined }] },
    };
    expect(checkUnsigned(JSON.parse(JSON.stringify({ ...exampleReport, ...change })), context).findings).toEqual([]);
  });
});

describe('time', () => {
  it('E113: a period that is not over, a clock that is wrong', () => {
    expect(found({}, { nowMs: Date.parse('2026-03-01T20:00:00+07:00') })).toEqual(['E113 /period/to', 'E113 /issuedAt']);
    expect(found({ issuedAt: '2026-03-02T10:00:00+07:00' })).toEqual(['E113 /issuedAt']);
    expect(found({ issuedAt: '2026-03-01T22:00:00+07:00' })).toEqual(['E113 /issuedAt']);
    expect(found({ issuedAt: '2026-03-02T09:04:00+07:00' })).toEqual([]);
  });
});

describe('signature', () => {
  const revokedAtMs = Date.parse('2026-03-10T00:00:00+07:00');
  const revoked = { findKey: () => ({ publicKey: key.publicKey, validFromMs: 0, revokedAtMs }) };

  it('E111: one changed byte, an unknown key, a key of another enterprise', () => {
    const signed = signReport(exampleReport, key);
    const changed = { ...signed, energy: [{ ...electricity, quantity: '4120.6' }] };
    const codes = (report: unknown, more: Partial<CheckContext> = {}): string[] =>
      checkReport(report, { ...context, ...more }).findings.map(({ code, pointer }) => `${code} ${pointer}`);
    expect(codes({ ...changed, quality: { flags: [] } })).toEqual(['E111 /signature/signature']);
    expect(codes(signed, { findKey: () => undefined })).toEqual(['E111 /signature/kid']);
    expect(codes(signReport(exampleReport, { kid: '0102030405#k1', privateKey: key.privateKey }))).toEqual(['E111 /signature/kid']);
    expect(codes(signed, { findKey: () => ({ publicKey: key.publicKey, validFromMs: exampleNowMs }) })).toEqual(['E111 /signature/kid']);
  });

  it('keeps what was signed before a revocation, refuses what arrives after it, whatever its date says', () => {
    const late = { nowMs: revokedAtMs + 86_400_000, ...revoked };
    expect(found({}, { ...late, knownSinceMs: exampleNowMs })).toEqual([]);
    expect(found({}, late)).toEqual(['E111 /signature/kid']);
    expect(found({}, revoked)).toEqual([]);
  });
});

it('E112: an agreement that is unknown, known, or revoked before the report arrived', () => {
  const agreement = { products: ['vn.sector.production-report'], purposes: exampleReport.sharing.purposes, validFromMs: 0 } as const;
  expect(found({}, { findAgreement: () => undefined })).toEqual(['E112 /sharing/agreementId']);
  expect(found({}, { findAgreement: () => agreement })).toEqual([]);
  const revoked = { findAgreement: () => ({ ...agreement, revokedAtMs: exampleNowMs }) };
  expect(found({}, revoked)).toEqual(['E112 /sharing/agreementId']);
  expect(found({}, { ...revoked, knownSinceMs: exampleNowMs - 1 })).toEqual([]);
});
