import { canonicalJson } from '../../contract/canonical.ts';
import { amountsOf } from '../../contract/check-history.ts';
import { finding } from '../../contract/finding.ts';
import type { SigningKey } from '../../contract/keys.ts';
import { type Hash, leafHash } from '../../contract/merkle.ts';
import {
  digestText,
  type ReceiptEntry,
  receiptContractName,
  receiptContractVersion,
  receiptLeaf,
  signReceipt,
} from '../../contract/receipt.ts';
import type { Database, Queries, Row } from '../database.ts';
import { appendLeaves, type Head } from '../log/append.ts';
import type { Candidate, Held, Outcome } from './candidate.ts';
import { bindPolicies, type Known, readKnown } from './known.ts';
import { revisionConflict } from './revision-rules.ts';

export interface CommitDeps {
  readonly database: Database;
  /** Signs receipts. */
  readonly key: SigningKey;
  now(): number;
  receiptId(): string;
}

/** Reports that are committed together: of different series, all of which fit in memory. */
export type Group = readonly Candidate[];

/**
 * Stores a group of reports, their leaves and their receipts in one transaction: when it resolves, they are on disk, all or none.
 *
 * The row `log_head` is the lock: it is taken first, so that groups of several processes go one after the other, and what is read after it
 * cannot change before the commit. Each group has a moment of its own, later than all before it even when the clock went back.
 */
export async function commitReports(group: Group, deps: CommitDeps): Promise<readonly Outcome[]> {
  return deps.database.transaction(async (queries) => {
    const { head, lastMs } = await lockHead(queries);
    const known = await readKnown(queries, group);
    const held = await readHeld(queries, group, known);
    const outcomes: (Outcome | undefined)[] = group.map((candidate) => held.judge(candidate));
    const accepted = group.filter((_, i) => outcomes[i] === undefined);
    if (accepted.length === 0) return outcomes as Outcome[];
    const fresh = accepted.map((candidate) => withQuestions(candidate, known));

    const at = new Date(Math.max(deps.now(), lastMs + 1));
    const entries = fresh.map((candidate) => entryOf(candidate, deps.receiptId(), at));
    const appended = appendLeaves(
      head,
      entries.map((entry) => leafHash(receiptLeaf(entry))),
    );
    const receipts = entries.map((entry, i) => {
      const leafIndex = head.size + i;
      const inclusionProof = appended.proof(leafIndex).map(digestText);
      const log = { treeSize: appended.head.size, leafIndex, rootHash: digestText(appended.root), inclusionProof };
      return Buffer.from(canonicalJson(signReceipt({ ...entry, log }, deps.key)));
    });

    await writeReports(queries, fresh, receipts, head.size, at);
    await bindPolicies(queries, fresh, head.size);
    await queries.query('INSERT INTO log_node (level, idx, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])', [
      appended.nodes.map(({ level }) => level),
      appended.nodes.map(({ index }) => index),
      appended.nodes.map(({ hash }) => hash),
    ]);
    await queries.query('UPDATE log_head SET size = $1, frontier = $2::bytea[], last_at = $3', [
      appended.head.size,
      appended.head.frontier,
      at,
    ]);
    let next = 0;
    return outcomes.map((outcome) => outcome ?? { kind: 'accepted', receipt: receipts[next++] as Buffer });
  });
}

async function lockHead(queries: Queries): Promise<{ readonly head: Head; readonly lastMs: number }> {
  const [row] = await queries.query<{ size: number; frontier: Hash[]; last_at: Date }>(
    'SELECT size, frontier, last_at FROM log_head FOR UPDATE',
  );
  if (row === undefined) throw new Error('log_head has no row: the database was not migrated');
  return { head: { size: row.size, frontier: row.frontier }, lastMs: row.last_at.getTime() };
}

/** The warnings of a report with those against its earlier periods. */
function withQuestions(candidate: Candidate, known: Known): Candidate {
  const unusual = known.unusual(candidate).map(({ code, pointer }) => ({ code, pointer }));
  return unusual.length === 0 ? candidate : { ...candidate, warnings: [...candidate.warnings, ...unusual] };
}

/** What is held of the series and digests of a group. */
async function readHeld(queries: Queries, group: Group, known: Known): Promise<{ judge(candidate: Candidate): Outcome | undefined }> {
  const repeated = await queries.query<{ digest: string; receipt: Buffer }>('SELECT digest, receipt FROM report WHERE digest = ANY($1)', [
    group.map(({ digest }) => digest),
  ]);
  const current = await queries.query<Row & Held & { series_key: string }>(
    'SELECT series_key, revision, digest FROM report WHERE superseded_at IS NULL AND series_key = ANY($1)',
    [group.map(({ seriesKey }) => seriesKey)],
  );
  const same = await queries.query<Row & Held & { series_key: string }>(
    `SELECT series_key, revision, digest FROM report
       JOIN unnest($1::text[], $2::int[]) AS wanted (series_key, revision) USING (series_key, revision)`,
    [group.map(({ seriesKey }) => seriesKey), group.map(({ report }) => report.revision)],
  );
  const used = await queries.query<{ enterprise_id: string; report_id: string }>(
    `SELECT enterprise_id, report_id::text FROM report
       JOIN unnest($1::text[], $2::uuid[]) AS wanted (enterprise_id, report_id) USING (enterprise_id, report_id)`,
    [group.map(({ report }) => report.reporter.enterpriseId), group.map(({ report }) => report.reportId)],
  );
  const receiptOf = new Map(repeated.map(({ digest, receipt }) => [digest, receipt]));
  const currentOf = new Map(current.map(({ series_key, revision, digest }) => [series_key, { revision, digest }]));
  const sameOf = new Map(same.map(({ series_key, revision, digest }) => [series_key, { revision, digest }]));
  const usedIds = new Set(used.map(({ enterprise_id, report_id }) => `${enterprise_id} ${report_id}`));
  return {
    judge(candidate) {
      const { digest, seriesKey, report } = candidate;
      const receipt = receiptOf.get(digest);
      if (receipt !== undefined) return { kind: 'repeated', receipt };
      const fork = known.policyFork(candidate);
      if (fork.length > 0) return { kind: 'refused', findings: fork };
      const conflict = revisionConflict(report, currentOf.get(seriesKey), sameOf.get(seriesKey));
      if (conflict !== undefined) return { kind: 'conflict', ...conflict };
      const id = `${report.reporter.enterpriseId} ${report.reportId.toLowerCase()}`;
      if (!usedIds.has(id)) {
        // Two reports of one group with one id: the second finds it used; so with a policy that forks.
        usedIds.add(id);
        known.add(candidate);
        return undefined;
      }
      const text = { vi: 'reportId đã dùng cho một báo cáo khác', en: 'This reportId belongs to another report' };
      return { kind: 'conflict', finding: finding('E114', '/reportId', text), held: null };
    },
  };
}

function entryOf({ report, digest, seriesKey, warnings }: Candidate, receiptId: string, at: Date): ReceiptEntry {
  return {
    contract: receiptContractName,
    contractVersion: receiptContractVersion,
    receiptId,
    seriesKey,
    reportId: report.reportId,
    revision: report.revision,
    digest,
    acceptedAt: at.toISOString(),
    warnings,
  };
}

async function writeReports(queries: Queries, fresh: Group, receipts: readonly Buffer[], firstLeaf: number, at: Date): Promise<void> {
  await queries.query('UPDATE report SET superseded_at = $2 WHERE superseded_at IS NULL AND series_key = ANY($1)', [
    fresh.map(({ seriesKey }) => seriesKey),
    at,
  ]);
  await queries.query(
    `INSERT INTO report (leaf_index, enterprise_id, establishment_id, series_key, revision, report_id, digest, status, duration,
                         valid_from, valid_to, recorded_at, kid, warnings, body, receipt, amounts)
     SELECT leaf_index, enterprise_id, establishment_id, series_key, revision, report_id, digest, status, duration,
            valid_from, valid_to, $15, kid, warnings, body, receipt, amounts
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[], $6::uuid[], $7::text[], $8::text[], $9::text[],
                   $10::timestamptz[], $11::timestamptz[], $12::text[], $13::int[], $14::bytea[], $16::bytea[],
                   $17::text[])
         AS fresh (leaf_index, enterprise_id, establishment_id, series_key, revision, report_id, digest, status, duration,
                   valid_from, valid_to, kid, warnings, body, receipt, amounts)`,
    [
      fresh.map((_, i) => firstLeaf + i),
      fresh.map(({ report }) => report.reporter.enterpriseId),
      fresh.map(({ report }) => report.reporter.establishmentId),
      fresh.map(({ seriesKey }) => seriesKey),
      fresh.map(({ report }) => report.revision),
      fresh.map(({ report }) => report.reportId),
      fresh.map(({ digest }) => digest),
      fresh.map(({ report }) => report.status),
      fresh.map(({ report }) => report.period.duration),
      fresh.map(({ report }) => new Date(report.period.from)),
      fresh.map(({ report }) => new Date(report.period.to)),
      fresh.map(({ report }) => report.signature.kid),
      fresh.map(({ warnings }) => warnings.length),
      fresh.map(({ bytes }) => bytes),
      at,
      receipts,
      fresh.map(({ report }) => JSON.stringify(amountsOf(report))),
    ],
  );
}
