import type { Finding } from '../../contract/finding.ts';
import type { Database, Row } from '../database.ts';

/** One refused report and why. */
export interface Refused {
  readonly digest: string;
  readonly receivedAt: Date;
  readonly lastAt: Date;
  /** How often the same bytes came. */
  readonly times: number;
  readonly findings: readonly Finding[];
}

/** Refused reports are kept for their sender to look at, of each enterprise the newest `maxEntries`. */
export interface Quarantine {
  /** The same bytes again count up. */
  keep(
    enterpriseId: string,
    refused: { readonly digest: string; readonly bytes: Uint8Array; readonly findings: readonly Finding[] },
  ): Promise<void>;
  /** Newest first. */
  list(enterpriseId: string): Promise<readonly Refused[]>;
}

/** More tell the sender nothing new. */
const maxFindings = 20;

export function createQuarantine(database: Database, now: () => number, maxEntries: number): Quarantine {
  return {
    async keep(enterpriseId, { digest, bytes, findings }) {
      const at = new Date(now());
      await database.transaction(async (queries) => {
        await queries.query(
          `INSERT INTO quarantine (enterprise_id, digest, received_at, last_at, findings, body) VALUES ($1, $2, $3, $3, $4, $5)
             ON CONFLICT (enterprise_id, digest)
             DO UPDATE SET times = quarantine.times + 1, last_at = excluded.last_at, findings = excluded.findings`,
          [enterpriseId, digest, at, JSON.stringify(findings.slice(0, maxFindings)), bytes],
        );
        await queries.query(
          `DELETE FROM quarantine WHERE entry_id IN
             (SELECT entry_id FROM quarantine WHERE enterprise_id = $1 ORDER BY last_at DESC, entry_id DESC OFFSET $2)`,
          [enterpriseId, maxEntries],
        );
      });
    },
    async list(enterpriseId) {
      const rows = await database.query<Row & { digest: string; received_at: Date; last_at: Date; times: number; findings: string }>(
        `SELECT digest, received_at, last_at, times, findings FROM quarantine WHERE enterprise_id = $1
          ORDER BY last_at DESC, entry_id DESC LIMIT $2`,
        [enterpriseId, maxEntries],
      );
      return rows.map(({ digest, received_at, last_at, times, findings }) => ({
        digest,
        receivedAt: received_at,
        lastAt: last_at,
        times,
        findings: JSON.parse(findings) as readonly Finding[],
      }));
    },
  };
}
