import { describe, expect, it } from 'vitest';
import { type AgreementRecord, checkAgreement, checkPolicyDigest } from './check-sharing.ts';
import type { Sharing, UnsignedReport } from './report.ts';
import { exampleReport } from './testing/example-report.ts';

const at = (text: string): number => Date.parse(text);
const agreement: AgreementRecord = {
  products: ['vn.sector.production-report'],
  purposes: exampleReport.sharing.purposes,
  validFromMs: at('2026-01-01T00:00:00+07:00'),
  validToMs: at('2027-01-01T00:00:00+07:00'),
};
const arrivedMs = at('2026-03-02T09:00:00+07:00');

describe('E112 of the agreement', () => {
  const found = (change: Partial<UnsignedReport>, record: Partial<AgreementRecord> | undefined = {}): string[] =>
    checkAgreement(
      { ...exampleReport, ...change },
      (id) => (id === 'urn:agreement:2026-0012' ? { ...agreement, ...record } : undefined),
      arrivedMs,
    ).map(({ code, pointer }) => `${code} ${pointer}`);
  const sharing = (change: Partial<Sharing>): Partial<UnsignedReport> => ({ sharing: { ...exampleReport.sharing, ...change } });
  const refused = ['E112 /sharing/agreementId'];

  it('takes a report that its agreement covers, to the edge of its dates', () => {
    expect(found({})).toEqual([]);
    const { from, to } = exampleReport.period;
    expect(found({}, { validFromMs: at(from), validToMs: at(to) })).toEqual([]);
    expect(found({}, { validFromMs: at(from) + 1 })).toEqual(refused);
    expect(found({}, { validToMs: at(to) - 1 })).toEqual(refused);
  });

  it('refuses an unknown one, one that was revoked before the report came, one about something else', () => {
    expect(found(sharing({ agreementId: 'urn:agreement:2026-0013' }))).toEqual(refused);
    expect(found({}, { revokedAtMs: arrivedMs })).toEqual(refused);
    expect(found({}, { revokedAtMs: arrivedMs + 1 })).toEqual([]);
    expect(found({}, { products: ['vn.sector.machine-status'] })).toEqual(refused);
    expect(found({}, { purposes: ['research'] })).toEqual(['E112 /sharing/purposes']);
  });

  it('asks for none where a law does, where none is named, and of a withdrawal', () => {
    const gone = { revokedAtMs: 0 };
    expect(found(sharing({ legalBasis: 'statutory' }), gone)).toEqual([]);
    expect(found({ status: 'withdrawn' }, gone)).toEqual([]);
    const { agreementId: _, ...none } = exampleReport.sharing;
    expect(found({ sharing: none }, gone)).toEqual([]);
    expect(found({}, gone)).toEqual(refused);
  });
});

it('E112 of the policy: one version has one digest', () => {
  const { sharing } = exampleReport;
  expect(checkPolicyDigest(sharing, undefined)).toEqual([]);
  expect(checkPolicyDigest(sharing, sharing.policyDigest)).toEqual([]);
  expect(checkPolicyDigest(sharing, `sha-256:${'b'.repeat(64)}`)).toMatchObject([{ code: 'E112', pointer: '/sharing/policyDigest' }]);
});
