import type { SharingPolicyVersion, SharingReport, SharingReportDetail } from '@nhip/core/wire/sharing';
import { localTime } from '../contract/period.ts';
import { valueAt } from '../contract/pointer.ts';
import type { SharingPolicy } from '../contract/policy.ts';
import { applyPolicy } from '../contract/policy-filter.ts';
import type { ReportContent } from '../contract/report.ts';
import type { Approval, OutboxItem } from './outbox/item.ts';
import { plainLines } from './plain-words.ts';
import type { PolicyVersion } from './policy-store.ts';

/** An item as people see it. */
export function itemView(item: OutboxItem, approvers: readonly string[]): SharingReport {
  const { id, recipient, revision, status, state, digest, bytes, stoppedBy, warnings, problem, receipt, mergedInto } = item;
  return {
    id,
    recipient,
    period: { from: localTime(item.fromMs), to: localTime(item.toMs), duration: item.duration },
    revision,
    status,
    state,
    madeAt: iso(item.history[0]?.atMs ?? 0),
    dueAt: iso(item.dueMs),
    ...(digest === undefined ? {} : { digest }),
    ...(bytes === undefined ? {} : { bytes }),
    policy: { digest: item.policyDigest, version: item.policyVersion },
    approvals: approvalsView(item.approvals),
    approvalsNeeded: item.approvalsNeeded,
    approvers,
    ...(stoppedBy === undefined ? {} : { stoppedBy }),
    warnings,
    ...(problem === undefined ? {} : { problem }),
    ...(receipt === undefined ? {} : { receipt }),
    ...(mergedInto === undefined ? {} : { mergedInto }),
  };
}

/** With the exact bytes, and what leaves and stays of the whole report. */
export function detailView(
  item: OutboxItem,
  {
    approvers,
    policy,
    text,
    content,
  }: {
    readonly approvers: readonly string[];
    readonly policy: SharingPolicy | undefined;
    readonly text?: string;
    readonly content?: ReportContent;
  },
): SharingReportDetail {
  const history = item.history.map(({ atMs, by, from, to, reason }) => ({
    at: iso(atMs),
    by,
    from,
    to,
    ...(reason === undefined ? {} : { reason }),
  }));
  const filtered = content === undefined || policy === undefined ? undefined : applyPolicy(content, policy, item.recipient);
  const isShown = filtered?.ok === true;
  return {
    ...itemView(item, approvers),
    ...(text === undefined ? {} : { text }),
    leaves: isShown ? plainLines(filtered.filtered, filtered.left) : [],
    stays: content === undefined ? [] : plainLines(content, isShown ? filtered.removed : allPointers(content)),
    changed: isShown ? filtered.changed : [],
    history,
  };
}

/** A version of the policy as people see it. */
export function policyView(
  version: PolicyVersion,
  {
    inForce,
    rule,
  }: {
    readonly inForce: PolicyVersion | undefined;
    readonly rule: { readonly approvers: readonly string[]; readonly approvalsNeeded: number };
  },
): SharingPolicyVersion {
  const { digest, policy, yaml, proposedBy, proposedAtMs } = version;
  return {
    digest,
    version: policy.version,
    policyId: policy.policyId,
    state: stateOf(version, inForce),
    validFrom: policy.validFrom,
    ...(policy.validTo === undefined ? {} : { validTo: policy.validTo }),
    yaml,
    proposedBy,
    proposedAt: iso(proposedAtMs),
    approvals: approvalsView(version.approvals),
    approvalsNeeded: rule.approvalsNeeded,
    approvers: rule.approvers,
  };
}

export function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function stateOf(version: PolicyVersion, inForce: PolicyVersion | undefined): SharingPolicyVersion['state'] {
  if (version.digest === inForce?.digest) return 'in-force';
  if (inForce !== undefined && version.policy.version <= inForce.policy.version) return 'old';
  return version.approvedAtMs === undefined ? 'waiting' : 'approved';
}

function approvalsView(approvals: readonly Approval[]) {
  return approvals.map(({ by, atMs }) => ({ by, at: iso(atMs) }));
}

function allPointers(content: ReportContent): readonly string[] {
  const walk = (pointer: string): readonly string[] => {
    const value = valueAt(content, pointer);
    if (typeof value !== 'object' || value === null) return [pointer];
    return Object.keys(value).flatMap((key) => walk(`${pointer}/${key}`));
  };
  return walk('');
}
