import { CanonicalError, canonicalJson } from '../../contract/canonical.ts';
import { checkReport } from '../../contract/check.ts';
import type { AgreementRecord } from '../../contract/check-sharing.ts';
import type { KeyRecord } from '../../contract/check-signature.ts';
import { digestOfBytes } from '../../contract/digest.ts';
import { type Finding, finding, type Text } from '../../contract/finding.ts';
import { seriesKeyOf } from '../../contract/report.ts';
import type { Candidate } from '../store/candidate.ts';

/** Of whom a report is taken. */
export interface Sender {
  readonly enterpriseId: string;
  readonly establishments: ReadonlySet<string>;
  readonly keys: ReadonlyMap<string, KeyRecord>;
  readonly agreements: ReadonlyMap<string, AgreementRecord>;
}

export type Judged =
  | { readonly kind: 'fit'; readonly candidate: Candidate; readonly warnings: readonly Finding[] }
  | { readonly kind: 'refused'; readonly digest: string; readonly findings: readonly Finding[] }
  /** Somebody else's report: not kept, not even for its sender. */
  | { readonly kind: 'foreign'; readonly findings: readonly Finding[] };

/**
 * Everything that can be said of one report without other reports: canonical JSON, schema, codes, invariants, agreement, sender, signature.
 * Never throws. Bound the size of `bytes` before.
 */
export function judge(bytes: Buffer, sender: Sender, nowMs: number): Judged {
  const digest = digestOfBytes(bytes);
  const refused = (...findings: Finding[]): Judged => ({ kind: 'refused', digest, findings });
  const parsed = parseCanonical(bytes);
  if ('problem' in parsed) return refused(finding('SCHEMA', parsed.pointer, parsed.problem));

  const { findings, report } = checkReport(parsed.value, {
    nowMs,
    findKey: (kid) => sender.keys.get(kid),
    findAgreement: (agreementId) => sender.agreements.get(agreementId),
  });
  const named = reporterOf(parsed.value);
  if (named.enterpriseId !== undefined && named.enterpriseId !== sender.enterpriseId) {
    const text = {
      vi: `Tài khoản gửi thuộc doanh nghiệp ${sender.enterpriseId}`,
      en: `The client that sends belongs to enterprise ${sender.enterpriseId}`,
    };
    return { kind: 'foreign', findings: [finding('E111', '/reporter/enterpriseId', text)] };
  }
  if (report === undefined) return refused(...findings);
  if (!sender.establishments.has(report.reporter.establishmentId)) {
    const text = { vi: 'Cơ sở chưa được đăng ký trên nền tảng', en: 'The establishment is not registered on this platform' };
    return refused(finding('E108', '/reporter/establishmentId', text));
  }
  const warnings = findings.map(({ code, pointer }) => ({ code, pointer }));
  return { kind: 'fit', candidate: { report, bytes, digest, seriesKey: seriesKeyOf(report), warnings }, warnings: findings };
}

type Parsed = { readonly value: unknown } | { readonly pointer: string; readonly problem: Text };

/** Only the canonical form is taken: what is stored, digested and given back are then the very bytes that were sent. */
function parseCanonical(bytes: Buffer): Parsed {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    if (canonicalJson(value) === text) return { value };
    const vi = 'Phải gửi đúng dạng JSON chuẩn tắc (RFC 8785, Unicode NFC)';
    return { pointer: '', problem: { vi, en: 'Send the canonical form: JSON of RFC 8785, text in Unicode NFC' } };
  } catch (error) {
    if (error instanceof CanonicalError)
      return { pointer: error.pointer, problem: { vi: 'Giá trị không có dạng chuẩn tắc', en: error.message } };
    return { pointer: '', problem: { vi: 'Không phải JSON trong UTF-8', en: 'No JSON in UTF-8' } };
  }
}

function reporterOf(value: unknown): { readonly enterpriseId?: unknown } {
  const reporter = typeof value === 'object' && value !== null && 'reporter' in value ? value.reporter : undefined;
  return typeof reporter === 'object' && reporter !== null ? reporter : {};
}
