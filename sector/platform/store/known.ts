import { type Amounts, amountsOf, checkHistory, earlierSeriesKeys } from '../../contract/check-history.ts';
import { checkPolicyDigest } from '../../contract/check-sharing.ts';
import type { Finding } from '../../contract/finding.ts';
import type { Digest, ProductionReport } from '../../contract/report.ts';
import type { Queries, Row } from '../database.ts';
import type { Candidate } from './candidate.ts';

/** What the reports that are stored say about further ones. */
export interface Known {
  /** E112: the version of the policy that it names has another digest. */
  policyFork(candidate: Candidate): readonly Finding[];
  /** W201 against the newest revisions of earlier periods, of one of the group. */
  unusual(candidate: Candidate): readonly Finding[];
  /** Counts a report of the same group as stored. */
  add(candidate: Candidate): void;
}

/** Reads it for a group of reports by two indexed queries. */
export async function readKnown(queries: Queries, group: readonly Candidate[]): Promise<Known> {
  const digests = await readPolicies(queries, group);
  const earlierOf = new Map(group.map((candidate) => [candidate, earlierSeriesKeys(candidate.report)]));
  const amounts = await readAmounts(queries, [...new Set([...earlierOf.values()].flat())]);
  return {
    policyFork({ report }) {
      return checkPolicyDigest(report.sharing, digests.get(policyName(report)));
    },
    unusual(candidate) {
      const earlier = earlierOf.get(candidate)?.map((key) => amounts.get(key)) ?? [];
      return checkHistory(
        candidate.report,
        earlier.filter((each) => each !== undefined),
      );
    },
    add({ seriesKey, report }) {
      digests.set(policyName(report), report.sharing.policyDigest);
      if (report.status === 'withdrawn') amounts.delete(seriesKey);
      else amounts.set(seriesKey, amountsOf(report));
    },
  };
}

/** Binds the digests of the policies of stored reports; those that are bound stay. */
export async function bindPolicies(queries: Queries, stored: readonly Candidate[], firstLeaf: number): Promise<void> {
  await queries.query(
    `INSERT INTO sharing_policy (enterprise_id, policy_id, version, digest, leaf_index)
     SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bigint[]) ON CONFLICT DO NOTHING`,
    [
      stored.map(({ report }) => report.reporter.enterpriseId),
      stored.map(({ report }) => report.sharing.policyId),
      stored.map(({ report }) => report.sharing.policyVersion),
      stored.map(({ report }) => report.sharing.policyDigest),
      stored.map((_, i) => firstLeaf + i),
    ],
  );
}

async function readPolicies(queries: Queries, group: readonly Candidate[]): Promise<Map<string, Digest>> {
  const rows = await queries.query<{ enterprise_id: string; policy_id: string; version: number; digest: Digest }>(
    `SELECT enterprise_id, policy_id, version, digest FROM sharing_policy
       JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::int[])) AS named (enterprise_id, policy_id, version)
            USING (enterprise_id, policy_id, version)`,
    [
      group.map(({ report }) => report.reporter.enterpriseId),
      group.map(({ report }) => report.sharing.policyId),
      group.map(({ report }) => report.sharing.policyVersion),
    ],
  );
  return new Map(rows.map(({ enterprise_id, policy_id, version, digest }) => [`${enterprise_id} ${policy_id} ${version}`, digest]));
}

/** By the index of current reports: one look for each key. */
async function readAmounts(queries: Queries, seriesKeys: readonly string[]): Promise<Map<string, Amounts>> {
  const rows = await queries.query<Row & { series_key: string; amounts: string | null; body: Uint8Array | null }>(
    `SELECT series_key, amounts, CASE WHEN amounts IS NULL THEN body END AS body FROM report
      WHERE superseded_at IS NULL AND status <> 'withdrawn' AND series_key = ANY($1)`,
    [seriesKeys],
  );
  return new Map(
    rows.map(({ series_key, amounts, body }) => [
      series_key,
      amounts === null
        ? amountsOf(JSON.parse(Buffer.from(body ?? []).toString('utf8')) as ProductionReport)
        : (JSON.parse(amounts) as Amounts),
    ]),
  );
}

/** Neither a tax code nor a URN has a space. */
function policyName({ reporter, sharing }: ProductionReport): string {
  return `${reporter.enterpriseId} ${sharing.policyId} ${sharing.policyVersion}`;
}
