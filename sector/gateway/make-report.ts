import type { Env } from '@nhip/core/process/env';
import { canonicalJson } from '../contract/canonical.ts';
import { checkUnsigned } from '../contract/check.ts';
import { digestOf, digestOfBytes, reportBytes } from '../contract/digest.ts';
import type { SigningKey } from '../contract/keys.ts';
import { sharingOf, waitMs } from '../contract/policy.ts';
import { applyPolicy } from '../contract/policy-filter.ts';
import { contractName, type Period, type ReportContent, seriesKeyOf } from '../contract/report.ts';
import { signReport } from '../contract/signature.ts';
import { type ItemProblem, moved, type OutboxItem } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { PolicyVersion } from './policy-store.ts';

export interface MakerDeps {
  readonly env: Env;
  readonly outbox: Outbox;
  readonly key: SigningKey;
}

/** What a report is made of. */
export interface Draft {
  readonly recipient: string;
  readonly period: Period;
  /** The whole report, unfiltered. */
  readonly content: ReportContent;
  readonly sourceDigest: string;
  /** What opens the commitment `sourceHash` later; kept beside the report. */
  readonly source: unknown;
}

/** A draft after the filter and the checks; not on disk yet. */
export interface MadeReport {
  readonly item: OutboxItem;
  /** Signed canonical bytes; absent when the policy or a check refused. */
  readonly bytes?: Uint8Array;
  readonly source: Uint8Array;
}

/**
 * Filters, checks and signs a draft.
 *
 * It is signed here, before anybody approves, so that what people see is byte for byte what will be sent and its digest is the one that
 * the receipt names. A signature by itself sends nothing: only sealed items leave.
 */
export function makeReport(draft: Draft, version: PolicyVersion, deps: MakerDeps): MadeReport {
  const { env, outbox, key } = deps;
  const { recipient, period, content } = draft;
  const { policy } = version;
  const atMs = env.clock.now();
  const product = policy.recipients.find(({ id }) => id === recipient)?.products.find(({ contract }) => contract === contractName);
  const first: Omit<OutboxItem, 'contentDigest'> = {
    id: content.reportId,
    order: outbox.nextOrder(),
    recipient,
    seriesKey: seriesKeyOf(content),
    duration: period.duration,
    fromMs: Date.parse(period.from),
    toMs: Date.parse(period.to),
    revision: content.revision,
    status: content.status,
    state: 'built',
    policyDigest: version.digest,
    policyVersion: policy.version,
    sourceDigest: draft.sourceDigest,
    approvals: [],
    approvalsNeeded: policy.owner.approvalsNeeded,
    dueMs: Math.max(atMs + waitMs(product?.holdForPreview ?? 'PT0M'), Date.parse(period.to) + waitMs(product?.delay ?? 'PT0M')),
    warnings: [],
    history: [],
  };
  const source = Buffer.from(JSON.stringify({ content, source: draft.source }), 'utf8');
  const step = { atMs, by: 'gateway' };

  const filtered = applyPolicy(content, policy, recipient);
  if (!filtered.ok) {
    const { reason, pointer = '', message } = filtered;
    const problem: ItemProblem = { by: 'policy', code: reason, pointer, message };
    const item = { ...first, contentDigest: digestOf({ reason, pointer }), problem };
    return { item: moved(item, 'rejected', { ...step, reason: message }), source };
  }
  const contentDigest = digestOf(comparable(filtered.filtered));
  const passed = moved({ ...first, contentDigest }, 'filtered', step);
  const unsigned = { ...filtered.filtered, sharing: sharingOf(policy, recipient) };
  const { findings } = checkUnsigned(unsigned, { nowMs: atMs });
  const error = findings.find(({ severity }) => severity === 'error');
  if (error !== undefined) {
    const problem: ItemProblem = { by: 'check', code: error.code, pointer: error.pointer, message: error.message };
    return { item: moved({ ...passed, problem }, 'rejected', { ...step, reason: error.message }), source };
  }
  const bytes = reportBytes(signReport(unsigned, key));
  const warnings = findings.map(({ code, pointer, message }) => ({ code, pointer, message }));
  const held = { ...passed, warnings, digest: digestOfBytes(bytes), bytes: bytes.length };
  return { item: moved(held, 'held', step), bytes, source };
}

/** Puts the files of a made report on disk; its item is committed by the caller, afterwards. */
export async function writeFiles({ files }: Outbox, { item, bytes, source }: MadeReport): Promise<void> {
  await files.write('source', item.id, source);
  if (bytes !== undefined) await files.write('bytes', item.id, bytes);
}

/** What was kept by `writeFiles`: the whole report, and the figures behind it. */
export async function readSource(
  { files }: Outbox,
  id: string,
): Promise<{ readonly content: ReportContent; readonly source: unknown } | undefined> {
  const bytes = await files.read('source', id);
  return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
}

/** What a recipient can tell apart: everything but what each revision has anew. */
export function comparable(content: ReportContent): unknown {
  const { reportId, revision, supersedes, revisionReason, status, issuedAt, lineage, ...rest } = content;
  const withdrawal = status === 'withdrawn';
  return JSON.parse(canonicalJson({ ...rest, withdrawal }));
}
