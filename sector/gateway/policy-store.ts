import { parseYaml } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { type ParsedPolicy, type ProductContract, parsePolicy, policyDigest, type SharingPolicy } from '../contract/policy.ts';
import type { Digest } from '../contract/report.ts';
import { DeskError } from './desk-error.ts';
import type { Approval } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';

/**
 * Every version of the sharing policy that was ever proposed, and which one holds.
 *
 * A version holds when the people whom the version before it names have approved it (the first one: whom it names itself), from its
 * `validFrom` on, until a higher version does. So nobody can give himself the right to approve. No version: nothing leaves.
 */
export interface PolicyStore {
  /** The version that holds at a moment; undefined: nothing may leave. */
  inForce(atMs: number): PolicyVersion | undefined;
  find(digest: Digest): PolicyVersion | undefined;
  /** Highest version first. */
  versions(): readonly PolicyVersion[];
  /** Takes a proposal. The same policy again changes nothing. Throws DeskError when it is not sound. */
  propose(yaml: string, by: string, atMs: number): Promise<PolicyVersion>;
  /** Adds an approval. Throws DeskError: not an approver, already approved, unknown. */
  approve(digest: Digest, by: string, atMs: number): Promise<PolicyVersion>;
  /** Stops a product to a recipient, until a version that is approved later shares it again. Throws DeskError for statutory reports. */
  revoke(recipient: string, contract: ProductContract, by: string, atMs: number): Promise<Revocation>;
  /** The revocation that holds against a version. */
  revocation(recipient: string, contract: ProductContract, version: PolicyVersion): Revocation | undefined;
  /** Who may approve a version, and how many must. */
  rule(version: PolicyVersion): { readonly approvers: readonly string[]; readonly approvalsNeeded: number };
}

export interface PolicyVersion {
  readonly digest: Digest;
  readonly policy: SharingPolicy;
  readonly yaml: string;
  readonly proposedBy: string;
  readonly proposedAtMs: number;
  readonly approvals: readonly Approval[];
  /** The version whose people must approve; absent for the first one. */
  readonly after?: Digest;
  /** When the last approval came. */
  readonly approvedAtMs?: number;
}

export interface Revocation {
  readonly recipient: string;
  readonly contract: ProductContract;
  readonly by: string;
  readonly atMs: number;
}

const prefix = 'policy/';
const maxYaml = 100_000;
const maxVersions = 1000;

export function createPolicyStore(outbox: Pick<Outbox, 'journal' | 'change'>, enterpriseId: string): PolicyStore {
  const { journal } = outbox;
  // Asked for at every step of every report: kept in order.
  let all: readonly PolicyVersion[] = [];
  const load = (): void => {
    all = journal
      .entries(prefix)
      .map(([, value]) => value as PolicyVersion)
      .sort((a, b) => b.policy.version - a.policy.version || b.proposedAtMs - a.proposedAtMs);
  };
  load();
  const versions = (): readonly PolicyVersion[] => all;
  const find = (digest: Digest): PolicyVersion | undefined => journal.get(`${prefix}${digest}`) as PolicyVersion | undefined;
  const approved = (): readonly PolicyVersion[] => versions().filter(({ approvedAtMs }) => approvedAtMs !== undefined);
  const rule = (version: PolicyVersion) => (version.after === undefined ? version : (find(version.after) ?? version)).policy.owner;
  /** Nobody else changes a version between the look and the commit. */
  const decided = async (decide: () => PolicyVersion): Promise<PolicyVersion> => {
    let version: PolicyVersion | undefined;
    await outbox.change(() => {
      version = decide();
      return find(version.digest) === version ? {} : { entries: [[`${prefix}${version.digest}`, version]] };
    });
    load();
    if (version === undefined) throw new Error('a change ended without its decision');
    return version;
  };

  const store: PolicyStore = {
    find,
    versions,
    rule,
    inForce: (atMs) => approved().find(({ policy }) => Date.parse(policy.validFrom) <= atMs),
    propose: (yaml, by, atMs) =>
      decided(() => {
        const policy = parsed(yaml, enterpriseId);
        const digest = policyDigest(policy);
        const same = find(digest);
        if (same !== undefined) return same;
        const [newest] = approved();
        if (newest !== undefined && policy.version <= newest.policy.version) {
          const vi = `Phiên bản ${policy.version} không cao hơn phiên bản ${newest.policy.version} đã được duyệt: hãy tăng "version"`;
          const en = `Version ${policy.version} is not above the approved version ${newest.policy.version}: raise "version"`;
          throw new DeskError('policy_invalid', vi, en);
        }
        if (versions().length >= maxVersions) {
          throw new DeskError('policy_invalid', 'Quá nhiều phiên bản chính sách', 'There are too many versions of the policy');
        }
        const after = newest === undefined ? {} : { after: newest.digest };
        return { digest, policy, yaml, proposedBy: by, proposedAtMs: atMs, approvals: [], ...after };
      }),
    approve: (digest, by, atMs) =>
      decided(() => {
        const version = find(digest);
        if (version === undefined) throw new DeskError('not_found', `Không có chính sách ${digest}`, `There is no policy ${digest}`);
        if (version.approvedAtMs !== undefined) return version;
        const [newest] = approved();
        if (newest !== undefined && newest.digest !== version.after) {
          const vi = 'Một phiên bản khác đã được duyệt sau khi đề xuất này được gửi: hãy đề xuất lại';
          throw new DeskError(
            'policy_invalid',
            vi,
            'Another version was approved since this one was proposed: propose it again as a higher version',
          );
        }
        const { approvers, approvalsNeeded } = rule(version);
        mayApprove(approvers, version.approvals, by);
        const approvals = [...version.approvals, { by, atMs }];
        return { ...version, approvals, ...(approvals.length >= approvalsNeeded ? { approvedAtMs: atMs } : {}) };
      }),
    async revoke(recipient, contract, by, atMs) {
      const holder = store.inForce(atMs)?.policy.recipients.find(({ id }) => id === recipient);
      if (holder === undefined)
        throw new DeskError('not_found', `Chính sách không có bên nhận ${recipient}`, `The policy has no recipient ${recipient}`);
      if (holder.legalBasis === 'statutory') {
        throw new DeskError(
          'statutory',
          'Báo cáo theo nghĩa vụ pháp luật không thể rút lại; có thể giữ từng báo cáo để kiểm tra',
          'Reports that a law asks for cannot be revoked; single reports can be held to check them',
        );
      }
      const revocation = { recipient, contract, by, atMs };
      await outbox.change(() => ({ entries: [[`revocation/${recipient}/${contract}`, revocation]] }));
      return revocation;
    },
    revocation(recipient, contract, { approvedAtMs = 0 }) {
      const found = journal.get(`revocation/${recipient}/${contract}`) as Revocation | undefined;
      return found !== undefined && approvedAtMs <= found.atMs ? found : undefined;
    },
  };
  return store;
}

/** Throws DeskError unless this person may add an approval: an approver, and not twice. */
export function mayApprove(approvers: readonly string[], given: readonly Approval[], by: string): void {
  if (!approvers.includes(by)) {
    throw new DeskError('not_approver', `${by} không có trong danh sách người duyệt`, `${by} is none of the approvers of the policy`);
  }
  if (given.some((approval) => approval.by === by)) {
    throw new DeskError('already_approved', `${by} đã duyệt; cần một người khác`, `${by} has approved already; another person must`);
  }
}

function parsed(yaml: string, enterpriseId: string): SharingPolicy {
  if (yaml.length > maxYaml) throw new DeskError('policy_invalid', 'Chính sách quá dài', `The policy is longer than ${maxYaml} characters`);
  let result: ParsedPolicy;
  try {
    result = parsePolicy(parseYaml(yaml, 'sharing-policy.yaml', {}));
  } catch (error) {
    result = { ok: false, problems: error instanceof ConfigError ? error.problems : [String(error)] };
  }
  if (!result.ok) {
    const list = result.problems.slice(0, 20).join('; ');
    throw new DeskError('policy_invalid', `Chính sách có lỗi: ${list}`, `The policy is not sound: ${list}`);
  }
  if (result.policy.owner.enterpriseId !== enterpriseId) {
    throw new DeskError(
      'policy_invalid',
      `Chính sách của doanh nghiệp ${result.policy.owner.enterpriseId}, không phải ${enterpriseId}`,
      `The policy is that of enterprise ${result.policy.owner.enterpriseId}, this plant is ${enterpriseId}`,
    );
  }
  return result.policy;
}
