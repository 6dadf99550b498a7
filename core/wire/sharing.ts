import type { LocalName } from './live.ts';

/** Answers of `/api/v1/sharing`: what may leave the factory, what left, and who agreed. Times are ISO 8601. */

/** How far a report is on its way; only `sealed` and later leaves. */
export const reportStates = [
  ...(['built', 'filtered', 'held', 'approved', 'sealed', 'sending'] as const),
  ...(['accepted', 'duplicate', 'rejected', 'expired', 'superseded', 'withdrawn'] as const),
] as const;
export type ReportState = (typeof reportStates)[number];

export interface Approvals {
  readonly approvals: readonly { readonly by: string; readonly at: string }[];
  readonly approvalsNeeded: number;
  /** Accounts that may agree. */
  readonly approvers: readonly string[];
}

export interface PolicyName {
  readonly digest: string;
  readonly version: number;
}

export interface ReportWarning {
  readonly code: string;
  /** JSON Pointer into the report; empty: the whole. */
  readonly pointer: string;
  readonly message: LocalName;
}

export interface SharingReport extends Approvals {
  readonly id: string;
  readonly recipient: string;
  readonly period: { readonly from: string; readonly to: string; readonly duration: string };
  readonly revision: number;
  readonly status: string;
  readonly state: ReportState;
  readonly madeAt: string;
  /** Does not leave before. */
  readonly dueAt: string;
  /** Of the exact bytes; absent: nothing was made to leave. */
  readonly digest?: string;
  readonly bytes?: number;
  readonly policy: PolicyName;
  readonly stoppedBy?: string;
  readonly warnings: readonly ReportWarning[];
  /** Who refused it, and why. */
  readonly problem?: ReportWarning & { readonly by: string };
  readonly receipt?: { readonly receiptId: string; readonly acceptedAt: string; readonly leafIndex: number };
  readonly mergedInto?: string;
}

/** A value in words. */
export interface PlainLine {
  readonly pointer: string;
  readonly label: LocalName;
  readonly value: LocalName;
}

export interface SharingReportDetail extends SharingReport {
  /** The exact bytes that leave, as text: their SHA-256 is `digest`. Absent when nothing was made to leave. */
  readonly text?: string;
  readonly leaves: readonly PlainLine[];
  readonly stays: readonly PlainLine[];
  /** Pointers of values that leave in another form: rounded, cut, put into a bucket. */
  readonly changed: readonly string[];
  readonly history: readonly {
    readonly at: string;
    readonly by: string;
    readonly from: string;
    readonly to: string;
    readonly reason?: LocalName;
  }[];
}

export interface SharingRecipient {
  readonly id: string;
  /** What people call it. */
  readonly title?: LocalName;
  readonly adapter: string;
  readonly url?: string;
  readonly legalBasis: string;
  /** `unconnected`: the policy shares, but the configuration has no connection. */
  readonly sharing: 'on' | 'off' | 'revoked' | 'unconnected';
  readonly statusStream: 'on' | 'off' | 'revoked';
  readonly canRevoke: boolean;
  readonly counts: Readonly<Record<ReportState, number>>;
  readonly downSince?: string;
  readonly nextAttempt?: string;
  /** Why it cannot be reached. */
  readonly downReason?: string;
}

export interface SharingAlarm {
  readonly code: string;
  readonly since: string;
  readonly recipient?: string;
  readonly text: LocalName;
}

export interface SharingOverview {
  readonly enterpriseId: string;
  readonly establishmentId: string;
  /** Of the signing key; its public half (JWK) is what a platform enrols. */
  readonly kid: string;
  readonly publicKey: Readonly<Record<string, unknown>>;
  /** Version that holds; absent: nothing leaves. */
  readonly policy?: PolicyName;
  readonly policiesWaiting: number;
  readonly recipients: readonly SharingRecipient[];
  readonly alarms: readonly SharingAlarm[];
  readonly queueBytes: number;
  readonly maxQueueBytes: number;
}

/** What another policy changes in what leaves to a recipient. Pointers have `*` for rows. */
export interface PolicyDifference {
  readonly recipient: string;
  /** Leaves only under the new policy. */
  readonly added: readonly string[];
  /** Leaves only under the old one. */
  readonly removed: readonly string[];
  /** Leaves under both, in another form: rounded, cut, exact. */
  readonly changed: readonly string[];
  /** In plain words, one sentence each; empty: nothing changes for this recipient. */
  readonly words: readonly LocalName[];
}

export interface SharingPolicyVersion extends Approvals, PolicyName {
  readonly policyId: string;
  /** `waiting`: for approvals; `approved`: for its validFrom; `old`: another one holds, or was approved instead. */
  readonly state: 'in-force' | 'approved' | 'waiting' | 'old';
  readonly validFrom: string;
  readonly validTo?: string;
  readonly yaml: string;
  readonly proposedBy: string;
  readonly proposedAt: string;
  /** Of a waiting one: what it changes in what leaves, shown on the last day. Absent when there are no figures to show it on. */
  readonly difference?: readonly PolicyDifference[];
}
