import type { ReportState, SharingReport } from '@nhip/core/wire/sharing';
import type { IconName } from '../state/icons.ts';
import type { Tone } from '../state/look.ts';

/** How a state of a report looks: calm unless a person is needed. */
export const reportLooks: Readonly<Record<ReportState, { readonly tone: Tone; readonly icon: IconName }>> = {
  built: { tone: 'off', icon: 'setup' },
  filtered: { tone: 'off', icon: 'setup' },
  held: { tone: 'wait', icon: 'idle' },
  approved: { tone: 'plan', icon: 'online' },
  sealed: { tone: 'plan', icon: 'online' },
  sending: { tone: 'plan', icon: 'running' },
  accepted: { tone: 'run', icon: 'online' },
  duplicate: { tone: 'run', icon: 'online' },
  rejected: { tone: 'down', icon: 'fault' },
  expired: { tone: 'wait', icon: 'stopped' },
  superseded: { tone: 'off', icon: 'off' },
  withdrawn: { tone: 'off', icon: 'off' },
};

/** What a person may do with a report in its state; the server decides in the end. */
export function actsOn({ state, status, stoppedBy }: Pick<SharingReport, 'state' | 'status' | 'stoppedBy'>): readonly ReportAct[] {
  const acts: ReportAct[] = [];
  if (state === 'held') acts.push('approve');
  const waits = state === 'held' || state === 'approved' || state === 'sealed';
  if (waits) acts.push(stoppedBy === undefined ? 'hold' : 'release');
  if (state === 'rejected' || state === 'expired') acts.push('again');
  if ((state === 'accepted' || state === 'duplicate') && status !== 'withdrawn') acts.push('withdraw');
  return acts;
}
export type ReportAct = 'approve' | 'hold' | 'release' | 'again' | 'withdraw';

/** What a report that has not left yet waits for: people who approve, and a moment when that is still to come. */
export function waitOf(
  { state, approvals, approvalsNeeded, dueAt }: Pick<SharingReport, 'state' | 'approvals' | 'approvalsNeeded' | 'dueAt'>,
  nowMs: number,
): { readonly people: number; readonly until: string | null } {
  if (state !== 'held' && state !== 'approved') return { people: 0, until: null };
  const people = state === 'held' ? Math.max(0, approvalsNeeded - approvals.length) : 0;
  return { people, until: Date.parse(dueAt) > nowMs ? dueAt : null };
}

interface Approvable {
  readonly approvals: readonly { readonly by: string }[];
  readonly approvers: readonly string[];
}

/** Why this person cannot approve; null: they can. */
export function approvalHindrance(
  user: { readonly name: string; readonly role: string } | null,
  { approvals, approvers }: Approvable,
): 'login' | 'notAdmin' | 'notApprover' | 'already' | null {
  if (user === null) return 'login';
  if (user.role !== 'admin') return 'notAdmin';
  if (!approvers.includes(user.name)) return 'notApprover';
  return approvals.some(({ by }) => by === user.name) ? 'already' : null;
}
