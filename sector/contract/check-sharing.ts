import { type Finding, finding, type Text } from './finding.ts';
import type { ProductContract } from './policy.ts';
import type { Digest, Purpose, Sharing, UnsignedReport } from './report.ts';

/** An agreement about sharing as the receiver keeps it. Moments in ms UTC. */
export interface AgreementRecord {
  readonly products: readonly ProductContract[];
  readonly purposes: readonly Purpose[];
  readonly validFromMs: number;
  /** First moment that it does not cover; absent: open end. */
  readonly validToMs?: number;
  readonly revokedAtMs?: number;
}

/** What is sent under an agreement. */
export interface AgreementUse {
  readonly product: ProductContract;
  /** Half open: [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  /** Since when somebody else knows of it; what was known before a revocation stays good. */
  readonly knownSinceMs: number;
}

/** Why an agreement does not cover a use, for people; undefined when it does. `agreement` undefined: there is none of that name. */
export function agreementProblem(agreement: AgreementRecord | undefined, use: AgreementUse): Text | undefined {
  if (agreement === undefined) {
    return {
      vi: 'Doanh nghiệp không có thỏa thuận này trên nền tảng: nhờ bên vận hành ghi nhận, hoặc sửa agreementId trong chính sách',
      en: 'The enterprise has no such agreement here: ask the operator to record it, or correct agreementId in the policy',
    };
  }
  const { products, validFromMs, validToMs = Number.POSITIVE_INFINITY, revokedAtMs = Number.POSITIVE_INFINITY } = agreement;
  if (use.knownSinceMs >= revokedAtMs) {
    return {
      vi: 'Thỏa thuận đã bị chấm dứt: muốn chia sẻ tiếp cần một thỏa thuận mới',
      en: 'The agreement was revoked: sharing again needs a new one',
    };
  }
  if (use.fromMs < validFromMs || use.toMs > validToMs) {
    return {
      vi: 'Thỏa thuận không có hiệu lực trong cả kỳ này: kiểm tra thời hạn của thỏa thuận',
      en: 'The agreement does not cover the whole period: look at its dates',
    };
  }
  if (!products.includes(use.product)) {
    return { vi: `Thỏa thuận không gồm ${use.product}`, en: `The agreement does not cover ${use.product}` };
  }
  return undefined;
}

/**
 * E112: the agreement that a report names covers it. A report that names none is not asked for one; a law needs none, so statutory reports
 * are not held up by one; and a withdrawal is taken whatever became of the agreement.
 */
export function checkAgreement(
  { contract, status, period, sharing }: UnsignedReport,
  findAgreement: (agreementId: string) => AgreementRecord | undefined,
  knownSinceMs: number,
): Finding[] {
  const { agreementId, legalBasis, purposes } = sharing;
  if (agreementId === undefined || legalBasis === 'statutory' || status === 'withdrawn') return [];
  const agreement = findAgreement(agreementId);
  const use = { product: contract, fromMs: Date.parse(period.from), toMs: Date.parse(period.to), knownSinceMs };
  const problem = agreementProblem(agreement, use);
  if (problem !== undefined) return [finding('E112', '/sharing/agreementId', problem)];
  const beyond = purposes.filter((purpose) => agreement?.purposes.includes(purpose) === false);
  if (beyond.length === 0) return [];
  const list = beyond.join(', ');
  return [finding('E112', '/sharing/purposes', { vi: `Thỏa thuận không gồm mục đích ${list}`, en: `Not agreed as a purpose: ${list}` })];
}

/**
 * E112: one version of a policy is one text. The receiver never sees the text, which names other recipients too: the first report that it
 * accepts under (policyId, policyVersion) binds the digest, here `bound`; another digest later is a fork. Undefined: not bound yet.
 */
export function checkPolicyDigest({ policyId, policyVersion, policyDigest }: Sharing, bound: Digest | undefined): Finding[] {
  if (bound === undefined || bound === policyDigest) return [];
  return [
    finding('E112', '/sharing/policyDigest', {
      vi: `Phiên bản ${policyVersion} của ${policyId} đã được biết với mã băm ${bound}: một thay đổi của chính sách cần số phiên bản mới`,
      en: `Version ${policyVersion} of ${policyId} is known with the digest ${bound}: a changed policy needs a new version`,
    }),
  ];
}
