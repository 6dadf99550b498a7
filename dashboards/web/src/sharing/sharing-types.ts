import type { LocalName } from '@nhip/core/wire/live';

/** Answers of `/api/v1/sharing`. Times are ISO 8601. */

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
  readonly digest?: string;
  readonly bytes?: number;
  readonly policy: { readonly digest: string; readonly version: number };
  readonly stoppedBy?: string;
  readonly warnings: readonly { readonly code: string; readonly message: LocalName }[];
  readonly problem?: { readonly by: string; readonly code: string; readonly message: LocalName };
  readonly receipt?: { readonly receiptId: string; readonly acceptedAt: string; readonly leafIndex: number };
}

export interface PlainLine {
  readonly pointer: string;
  readonly label: LocalName;
  readonly value: LocalName;
}

export interface SharingReportDetail extends SharingReport {
  /** The exact bytes, as text. */
  readonly text?: string;
  readonly leaves: readonly PlainLine[];
  readonly stays: readonly PlainLine[];
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
  readonly adapter: string;
  readonly url?: string;
  readonly legalBasis: string;
  readonly sharing: 'on' | 'off' | 'revoked' | 'unconnected';
  readonly statusStream: 'on' | 'off' | 'revoked';
  readonly canRevoke: boolean;
  readonly counts: Readonly<Record<ReportState, number>>;
  readonly downSince?: string;
  readonly nextAttempt?: string;
}

export interface SharingOverview {
  readonly enterpriseId: string;
  readonly establishmentId: string;
  readonly kid: string;
  readonly policy?: { readonly digest: string; readonly version: number };
  readonly policiesWaiting: number;
  readonly recipients: readonly SharingRecipient[];
  readonly alarms: readonly { readonly code: string; readonly since: string; readonly recipient?: string; readonly text: LocalName }[];
}

export interface SharingPolicy extends Approvals {
  readonly digest: string;
  readonly version: number;
  readonly policyId: string;
  readonly state: 'in-force' | 'approved' | 'waiting' | 'old';
  readonly validFrom: string;
  readonly validTo?: string;
  readonly yaml: string;
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly difference?: readonly { readonly recipient: string; readonly words: readonly LocalName[] }[];
}
