import type { ReportState } from '@nhip/core/wire/sharing';
import type { Text } from '../../contract/finding.ts';
import type { Digest, Duration, ReportStatus } from '../../contract/report.ts';

/**
 * One revision of one report to one recipient, on its way out.
 *
 *   built → filtered → held → approved → sealed → sending → accepted | duplicate | rejected
 *
 * `held`: the bytes that will leave exist, signed, and wait for people. `approved`: enough of them agreed to exactly these bytes.
 * `sealed`: the waiting times are over and the bytes were read back and verified; from here on this revision is never replaced by another
 * one with the same number, unless the policy changes before anything left. `sending`: something may have arrived. `accepted` (201) and
 * `duplicate` (200: it was there before) need a receipt that verifies; `rejected`: by the policy, our own check, or the platform.
 * `expired`: nobody approved in time, or the policy ended. `superseded`: another item says it now. `withdrawn`: consent was taken back.
 */
const nextStates: Readonly<Record<ReportState, readonly ReportState[]>> = {
  built: ['filtered', 'rejected'],
  filtered: ['held', 'rejected'],
  held: ['approved', 'superseded', 'withdrawn', 'expired'],
  approved: ['sealed', 'superseded', 'withdrawn', 'expired'],
  sealed: ['sending', 'superseded', 'withdrawn', 'expired'],
  sending: ['accepted', 'duplicate', 'rejected', 'withdrawn', 'expired'],
  accepted: [],
  duplicate: [],
  rejected: ['superseded'],
  expired: ['superseded'],
  superseded: [],
  withdrawn: [],
};

export interface Step {
  readonly atMs: number;
  /** Account of a person, or `gateway`. */
  readonly by: string;
  readonly from: ReportState;
  readonly to: ReportState;
  readonly reason?: Text;
}

export interface Approval {
  readonly by: string;
  readonly atMs: number;
}

/** Why an item did not leave, or was refused. */
export interface ItemProblem {
  readonly by: 'policy' | 'check' | 'platform';
  /** Reason of the policy, E-code, or HTTP status. */
  readonly code: string;
  /** JSON Pointer into the report; empty: the whole. */
  readonly pointer: string;
  readonly message: Text;
}

export interface OutboxItem {
  /** The reportId. */
  readonly id: string;
  /** Grows with every new item. */
  readonly order: number;
  readonly recipient: string;
  readonly seriesKey: string;
  readonly duration: Duration;
  readonly fromMs: number;
  readonly toMs: number;
  readonly revision: number;
  readonly status: ReportStatus;
  readonly state: ReportState;
  readonly policyDigest: Digest;
  readonly policyVersion: number;
  /** Of the figures it was made from; stays here. */
  readonly sourceDigest: Digest;
  /** Of what leaves, without what every revision has anew: another one means that the recipient learns something. */
  readonly contentDigest: Digest;
  /** Of the signed bytes; absent when there are none. */
  readonly digest?: Digest;
  readonly bytes?: number;
  readonly approvals: readonly Approval[];
  readonly approvalsNeeded: number;
  /** Not before, ms UTC: the end of preview and delay. */
  readonly dueMs: number;
  /** Set while a person keeps it from leaving. */
  readonly stoppedBy?: string;
  readonly warnings: readonly { readonly code: string; readonly pointer: string; readonly message: Text }[];
  readonly problem?: ItemProblem;
  readonly receipt?: { readonly receiptId: string; readonly acceptedAt: string; readonly leafIndex: number };
  /** The report that says it instead, of hours that were merged into their day. */
  readonly mergedInto?: string;
  /** A person asked for a new attempt after a refusal. */
  readonly isRetryAsked?: boolean;
  readonly history: readonly Step[];
}

/** Somebody already has, or may have, these bytes. */
export const sentStates: readonly ReportState[] = ['sealed', 'sending', 'accepted', 'duplicate'];
export const acceptedStates: readonly ReportState[] = ['accepted', 'duplicate'];
/** Waiting for people or for time. */
export const openStates: readonly ReportState[] = ['held', 'approved'];
export const waitingStates: readonly ReportState[] = ['held', 'approved', 'sealed', 'sending'];

/** A move along the states above. Throws for one that does not exist: that is a bug. */
export function moved(
  item: OutboxItem,
  to: ReportState,
  { atMs, by, reason }: { readonly atMs: number; readonly by: string; readonly reason?: Text | undefined },
): OutboxItem {
  if (!nextStates[item.state].includes(to)) throw new Error(`${item.id} cannot go from ${item.state} to ${to}`);
  const step = { atMs, by, from: item.state, to, ...(reason === undefined ? {} : { reason }) };
  return { ...item, state: to, history: [...item.history, step] };
}
