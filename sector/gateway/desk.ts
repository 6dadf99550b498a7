import type { Text } from '../contract/finding.ts';
import type { ProductContract } from '../contract/policy.ts';
import type { ItemState } from './outbox/item.ts';
import type { PlainLine } from './plain-words.ts';
import type { PolicyDifference } from './policy-difference.ts';

/**
 * What people at the factory see and do: the port behind the page "Dữ liệu rời nhà máy". Everything is JSON; times are ISO 8601 in UTC.
 *
 * `by` is the account of a person who is logged in; who may call what is for the server to decide, and here again: only the approvers
 * that the policy names can approve. What cannot be done is a DeskError with its words in both languages.
 */
export interface Desk {
  overview(): Promise<DeskOverview>;
  /** Newest first. */
  items(page: DeskPage): Promise<DeskItems>;
  /** Rejects with `not_found`. */
  item(id: string): Promise<DeskItemDetail>;
  /** Agrees to exactly the bytes with this digest. Rejects: `not_approver`, `already_approved`, `other_bytes`, `wrong_state`. */
  approve(id: string, by: string, digest: string): Promise<DeskItem>;
  /** Keeps a report from leaving until it is released. Rejects with `wrong_state` once it is being sent. */
  hold(id: string, by: string): Promise<DeskItem>;
  /** Ends a hold; of a refused or expired report: makes it again. */
  release(id: string, by: string): Promise<DeskItem>;
  /** Holds a revision that takes a report back which was accepted. */
  withdraw(id: string, by: string): Promise<DeskItem>;
  /** Stops a product to a recipient at once. Rejects with `statutory` where a law asks for it. */
  revoke(recipient: string, product: ProductContract, by: string): Promise<void>;
  /** Highest version first. */
  policies(): Promise<readonly DeskPolicy[]>;
  /** A new version; holds once it has its approvals. Rejects with `policy_invalid`. */
  proposePolicy(yaml: string, by: string): Promise<DeskPolicy>;
  approvePolicy(digest: string, by: string): Promise<DeskPolicy>;
  /** The platform's receipt, byte for byte. Rejects with `not_found`. */
  receipt(id: string): Promise<{ readonly text: string }>;
}

export interface DeskOverview {
  readonly enterpriseId: string;
  readonly establishmentId: string;
  /** Of the signing key; its public half is what a platform enrols. */
  readonly kid: string;
  readonly publicKey: object;
  /** Version that holds; absent: nothing leaves. */
  readonly policy?: { readonly digest: string; readonly version: number };
  readonly policiesWaiting: number;
  readonly recipients: readonly DeskRecipient[];
  readonly alarms: readonly DeskAlarm[];
  readonly queueBytes: number;
  readonly maxQueueBytes: number;
}

export interface DeskRecipient {
  readonly id: string;
  readonly adapter: string;
  readonly url?: string;
  readonly legalBasis: string;
  /** `unconnected`: the policy shares, but the configuration has no connection. */
  readonly sharing: 'on' | 'off' | 'revoked' | 'unconnected';
  readonly statusStream: 'on' | 'off' | 'revoked';
  readonly canRevoke: boolean;
  readonly counts: Readonly<Record<ItemState, number>>;
  readonly downSince?: string;
  readonly nextAttempt?: string;
  /** Why it cannot be reached. */
  readonly downReason?: string;
}

export interface DeskAlarm {
  readonly code: AlarmCode;
  readonly since: string;
  readonly recipient?: string;
  readonly text: Text;
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
  | 'status_dropped';

export interface DeskPage {
  readonly recipient?: string;
  readonly states?: readonly ItemState[];
  /** `next` of the page before. */
  readonly before?: number;
  /** 1…200, default 50. */
  readonly limit?: number;
}

export interface DeskItems {
  readonly items: readonly DeskItem[];
  /** Absent: there are no more. */
  readonly next?: number;
}

export interface DeskItem {
  readonly id: string;
  readonly recipient: string;
  readonly period: { readonly from: string; readonly to: string; readonly duration: string };
  readonly revision: number;
  readonly status: string;
  readonly state: ItemState;
  readonly madeAt: string;
  /** Does not leave before. */
  readonly dueAt: string;
  readonly digest?: string;
  readonly bytes?: number;
  readonly policy: { readonly digest: string; readonly version: number };
  readonly approvals: readonly { readonly by: string; readonly at: string }[];
  readonly approvalsNeeded: number;
  readonly approvers: readonly string[];
  readonly stoppedBy?: string;
  readonly warnings: readonly { readonly code: string; readonly pointer: string; readonly message: Text }[];
  readonly problem?: { readonly by: string; readonly code: string; readonly pointer: string; readonly message: Text };
  readonly receipt?: { readonly receiptId: string; readonly acceptedAt: string; readonly leafIndex: number };
  readonly mergedInto?: string;
}

export interface DeskItemDetail extends DeskItem {
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
    readonly reason?: Text;
  }[];
}

export interface DeskPolicy {
  readonly digest: string;
  readonly version: number;
  readonly policyId: string;
  /** `waiting`: for approvals; `approved`: for its validFrom; `old`: another one holds, or was approved instead. */
  readonly state: 'in-force' | 'approved' | 'waiting' | 'old';
  readonly validFrom: string;
  readonly validTo?: string;
  readonly yaml: string;
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly approvals: readonly { readonly by: string; readonly at: string }[];
  readonly approvalsNeeded: number;
  readonly approvers: readonly string[];
  /** Of a waiting one: what it changes in what leaves, shown on the last day. Absent when there are no figures to show it on. */
  readonly difference?: readonly PolicyDifference[];
}
