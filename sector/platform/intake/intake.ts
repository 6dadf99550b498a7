import { type Finding, finding } from '../../contract/finding.ts';
import type { ShortCache } from '../auth/short-cache.ts';
import type { Agreements } from '../store/agreements.ts';
import type { Candidate, Held } from '../store/candidate.ts';
import type { FactoryKeys } from '../store/factory-keys.ts';
import type { Known } from '../store/known.ts';
import type { Quarantine } from '../store/quarantine.ts';
import type { Reports } from '../store/reports.ts';
import type { Tenants } from '../store/tenants.ts';
import type { GroupCommit } from './group-commit.ts';
import { judge, type Sender } from './judge.ts';

/** What became of one report. */
export type Answer =
  /** `repeated`: these bytes were here before; the receipt is the first one. */
  | { readonly kind: 'accepted' | 'repeated'; readonly receipt: Buffer }
  | { readonly kind: 'tooLarge' | 'foreign' | 'refused'; readonly findings: readonly Finding[] }
  | { readonly kind: 'conflict'; readonly findings: readonly Finding[]; readonly held: Held | null };

export interface Intake {
  /** Checks and stores a report of an enterprise; resolves when it is on disk. Rejects with RetryableError when there are too many. */
  submit(enterpriseId: string, bytes: Buffer): Promise<Answer>;
  /** The same checks but the order of the series; stores nothing. */
  validate(enterpriseId: string, bytes: Buffer): Promise<{ readonly isValid: boolean; readonly findings: readonly Finding[] }>;
}

export interface IntakeDeps {
  readonly tenants: Tenants;
  readonly keys: FactoryKeys;
  readonly agreements: Pick<Agreements, 'records'>;
  readonly senders: ShortCache<Sender>;
  readonly quarantine: Quarantine;
  readonly reports: Pick<Reports, 'receiptOfDigest'>;
  readonly groups: GroupCommit;
  /** What is stored about a report, for a dry run; who submits is told by the commit. */
  known(candidate: Candidate): Promise<Known>;
  readonly maxReportBytes: number;
  now(): number;
  /** Called with every answer, for figures. */
  answered(kind: Answer['kind']): void;
}

export function createIntake(deps: IntakeDeps): Intake {
  const { tenants, keys, agreements, quarantine, groups, now } = deps;

  const senderOf = (enterpriseId: string): Promise<Sender> =>
    deps.senders.get(enterpriseId, now(), async () => {
      const [enterprise, found, agreed] = await Promise.all([
        tenants.find(enterpriseId),
        keys.keysOf(enterpriseId),
        agreements.records(enterpriseId),
      ]);
      const establishments = new Set(enterprise?.establishments.map(({ establishmentId }) => establishmentId));
      return { enterpriseId, establishments, keys: found, agreements: agreed };
    });

  const tooLarge = (bytes: Buffer): Finding[] => {
    const most = deps.maxReportBytes;
    if (bytes.length <= most) return [];
    return [finding('SCHEMA', '', { vi: `Báo cáo dài hơn ${most} byte`, en: `The report is longer than ${most} bytes` })];
  };

  async function answer(enterpriseId: string, bytes: Buffer): Promise<Answer> {
    const large = tooLarge(bytes);
    if (large.length > 0) return { kind: 'tooLarge', findings: large };
    const judged = judge(bytes, await senderOf(enterpriseId), now());
    switch (judged.kind) {
      case 'foreign':
        return judged;
      case 'refused': {
        // What was accepted once keeps its receipt, also after its key or agreement was revoked or a rule became stricter.
        const receipt = await deps.reports.receiptOfDigest(enterpriseId, judged.digest);
        if (receipt !== undefined) return { kind: 'repeated', receipt };
        await quarantine.keep(enterpriseId, { digest: judged.digest, bytes, findings: judged.findings });
        return judged;
      }
      case 'fit': {
        const outcome = await groups.submit(judged.candidate);
        if ('receipt' in outcome) return outcome;
        const findings = outcome.kind === 'refused' ? outcome.findings : [outcome.finding];
        await quarantine.keep(enterpriseId, { digest: judged.candidate.digest, bytes, findings });
        return outcome.kind === 'refused' ? outcome : { kind: 'conflict', findings, held: outcome.held };
      }
    }
  }

  return {
    async submit(enterpriseId, bytes) {
      const given = await answer(enterpriseId, bytes);
      deps.answered(given.kind);
      return given;
    },
    async validate(enterpriseId, bytes) {
      const large = tooLarge(bytes);
      if (large.length > 0) return { isValid: false, findings: large };
      const judged = judge(bytes, await senderOf(enterpriseId), now());
      if (judged.kind !== 'fit') return { isValid: false, findings: judged.findings };
      const known = await deps.known(judged.candidate);
      const fork = known.policyFork(judged.candidate);
      if (fork.length > 0) return { isValid: false, findings: fork };
      return { isValid: true, findings: [...judged.warnings, ...known.unusual(judged.candidate)] };
    },
  };
}
