import type { ReportState, SharingOverview, SharingPolicyVersion, SharingReport, SharingReportDetail } from '@nhip/core/wire/sharing';
import type { ProductContract } from '../contract/policy.ts';

/**
 * What people at the factory see and do: the port behind the page "Dữ liệu rời nhà máy". Everything is JSON; times are ISO 8601 in UTC.
 *
 * `by` is the account of a person who is logged in; who may call what is for the server to decide, and here again: only the approvers
 * that the policy names can approve. What cannot be done is a DeskError with its words in both languages.
 */
export interface Desk {
  overview(): Promise<SharingOverview>;
  /** Newest first. */
  items(page: DeskPage): Promise<DeskItems>;
  /** Rejects with `not_found`. */
  item(id: string): Promise<SharingReportDetail>;
  /** Agrees to exactly the bytes with this digest. Rejects: `not_approver`, `already_approved`, `other_bytes`, `wrong_state`. */
  approve(id: string, by: string, digest: string): Promise<SharingReport>;
  /** Keeps a report from leaving until it is released. Rejects with `wrong_state` once it is being sent. */
  hold(id: string, by: string): Promise<SharingReport>;
  /** Ends a hold; of a refused or expired report: makes it again. */
  release(id: string, by: string): Promise<SharingReport>;
  /** Holds a revision that takes a report back which was accepted. */
  withdraw(id: string, by: string): Promise<SharingReport>;
  /** Stops a product to a recipient at once. Rejects with `statutory` where a law asks for it. */
  revoke(recipient: string, product: ProductContract, by: string): Promise<void>;
  /** Highest version first. */
  policies(): Promise<readonly SharingPolicyVersion[]>;
  /** A new version; holds once it has its approvals. Rejects with `policy_invalid`. */
  proposePolicy(yaml: string, by: string): Promise<SharingPolicyVersion>;
  approvePolicy(digest: string, by: string): Promise<SharingPolicyVersion>;
  /** The platform's receipt, byte for byte. Rejects with `not_found`. */
  receipt(id: string): Promise<{ readonly text: string }>;
}

export interface DeskPage {
  readonly recipient?: string;
  readonly states?: readonly ReportState[];
  /** `next` of the page before. */
  readonly before?: number;
  /** 1…200, default 50. */
  readonly limit?: number;
}

export interface DeskItems {
  readonly items: readonly SharingReport[];
  /** Absent: there are no more. */
  readonly next?: number;
}

export type AlarmCode =
  | 'policy_missing'
  | 'policy_file'
  | 'figures_unavailable'
  | 'figures_unsound'
  | 'outbox_full'
  | 'outbox_disk'
  | 'recipient_down'
  | 'recipient_config'
  | 'receipt_invalid'
  | 'report_conflict'
  | 'restored'
  | 'status_dropped';
