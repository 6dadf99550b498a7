import { digestOf } from './digest.ts';
import type { Text } from './finding.ts';
import { policyProblems } from './policy-check.ts';
import type { contractName, Digest, Duration, LegalBasis, Purpose, Sharing } from './report.ts';
import { checkPolicySchema, errorPointer } from './schema-check.ts';

/**
 * The sharing policy of a factory: what may leave, to whom, in which form. Everything that no product of a recipient includes stays. The
 * text of the policy stays at the factory too; its digest is in every report.
 */
export type ProductContract = typeof contractName | 'vn.sector.machine-status';

/** Pointers cover what is below them; `*` stands for each element of a list. */
export type Transform =
  /** Keeps significant digits. */
  | { readonly path: string; readonly op: 'round'; readonly arg: number }
  /** As if it were excluded. */
  | { readonly path: string; readonly op: 'drop' }
  /** Keeps the leading characters of a code; rows that become equal are added up. */
  | { readonly path: string; readonly op: 'code_level'; readonly arg: number }
  /** Sends the lower end of a bucket of this width. */
  | { readonly path: string; readonly op: 'bucket'; readonly arg: string };

export interface SharedProduct {
  readonly contract: ProductContract;
  readonly enabled: boolean;
  /** Shorter reports do not leave. */
  readonly minPeriod?: Duration;
  /** Reports over fewer instrumented machines do not leave: they would tell of one machine. */
  readonly minMachines?: number;
  readonly delay?: string;
  readonly holdForPreview?: string;
  readonly include?: readonly string[];
  /** Wins over include. */
  readonly exclude?: readonly string[];
  readonly transform?: readonly Transform[];
  readonly onwardSharing?: 'none' | 'aggregate_only' | 'named_agencies';
  readonly retention?: string;
  readonly expires?: string;
}

export interface Recipient {
  readonly id: string;
  readonly endpoint: {
    readonly adapter: 'https' | 'lgsp-rest' | 'vdxp-soap' | 'file-bundle' | 'none';
    readonly url?: string;
    readonly jurisdiction: 'VN';
  };
  readonly legalBasis: LegalBasis;
  readonly legalReference?: string;
  readonly agreementId?: string;
  readonly purposes: readonly Purpose[];
  readonly products: readonly SharedProduct[];
}

export interface SharingPolicy {
  readonly policyId: string;
  readonly version: number;
  readonly owner: { readonly enterpriseId: string; readonly approvers: readonly string[]; readonly approvalsNeeded: number };
  readonly validFrom: string;
  readonly validTo?: string;
  readonly defaults: { readonly effect: 'deny' };
  readonly recipients: readonly Recipient[];
}

export type ParsedPolicy =
  | { readonly ok: true; readonly policy: SharingPolicy }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Why nothing leaves. */
export interface Refusal {
  readonly ok: false;
  readonly reason: RefusalReason;
  /** Into the report or event: the field that is meant. */
  readonly pointer?: string;
  readonly message: Text;
}

export type RefusalReason =
  | 'policy_invalid'
  | 'other_owner'
  | 'unknown_recipient'
  | 'product_disabled'
  | 'not_active'
  | 'period_too_short'
  | 'too_few_machines'
  | 'required_field'
  | 'no_code_level'
  | 'report_invalid';

/**
 * A policy from parsed YAML or JSON (times stay text). Problems, one English line each with its pointer: schema, pointers that name nothing
 * in the contract (a typing error in `exclude` would let something leave), transforms that do not fit, lists that contradict each other.
 */
export function parsePolicy(input: unknown): ParsedPolicy {
  const errors = checkPolicySchema(input);
  if (errors.length > 0) {
    // A transform that fits none of its forms has an error for each of them; the sum of them says nothing more.
    const telling = errors.filter(({ keyword }) => keyword !== 'oneOf');
    const shown = telling.length === 0 ? errors : telling;
    return { ok: false, problems: shown.map((error) => `${errorPointer(error)}: ${error.message ?? error.keyword}`) };
  }
  const policy = input as SharingPolicy;
  const problems = policyProblems(policy);
  return problems.length === 0 ? { ok: true, policy } : { ok: false, problems };
}

/** The digest that reports carry: of the canonical JSON of the whole policy, so not of the YAML text with its comments. */
export function policyDigest(policy: SharingPolicy): Digest {
  return digestOf(policy);
}

/** The `sharing` of a report to a recipient. Throws when the policy has no such recipient. */
export function sharingOf(policy: SharingPolicy, recipientId: string): Sharing {
  const recipient = policy.recipients.find(({ id }) => id === recipientId);
  if (recipient === undefined) throw new Error(`policy ${policy.policyId} has no recipient "${recipientId}"`);
  const { legalBasis, legalReference, agreementId, purposes } = recipient;
  return {
    policyId: policy.policyId,
    policyVersion: policy.version,
    policyDigest: policyDigest(policy),
    legalBasis,
    ...(legalReference === undefined ? {} : { legalReference }),
    ...(agreementId === undefined ? {} : { agreementId }),
    purposes,
  };
}

/** What a recipient may get of a contract at a moment (ms UTC), or why nothing. */
export function activeProduct(
  policy: SharingPolicy,
  recipientId: string,
  contract: ProductContract,
  atMs: number,
): { readonly ok: true; readonly recipient: Recipient; readonly product: SharedProduct } | Refusal {
  const recipient = policy.recipients.find(({ id }) => id === recipientId);
  if (recipient === undefined) {
    return refusal('unknown_recipient', `Chính sách không có bên nhận ${recipientId}`, `The policy has no recipient ${recipientId}`);
  }
  const product = recipient.products.find((each) => each.contract === contract);
  if (product?.enabled !== true) {
    return refusal('product_disabled', `Không chia sẻ ${contract} với ${recipientId}`, `${contract} is not shared with ${recipientId}`);
  }
  const ends = [policy.validTo, product.expires].filter((end) => end !== undefined).map((end) => Date.parse(end));
  if (atMs < Date.parse(policy.validFrom) || ends.some((endMs) => atMs >= endMs)) {
    return refusal('not_active', 'Chính sách chưa có hoặc không còn hiệu lực', 'The policy is not in force yet, or no longer');
  }
  return { ok: true, recipient, product };
}

/** A refusal in both languages. */
export function refusal(reason: RefusalReason, vi: string, en: string, pointer?: string): Refusal {
  return { ok: false, reason, message: { vi, en }, ...(pointer === undefined ? {} : { pointer }) };
}

/** Milliseconds of a `delay` or `holdForPreview` (`P1D`, `PT6H`, `PT30M`), which the schema has checked. */
export function waitMs(wait: string): number {
  const [, amount = '0', unit = 'M'] = /^PT?([0-9]+)([DHM])$/.exec(wait) ?? [];
  return Number(amount) * { D: 86_400_000, H: 3_600_000, M: 60_000 }[unit as 'D' | 'H' | 'M'];
}
