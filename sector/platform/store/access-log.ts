import type { Database, Row } from '../database.ts';

/** Who read rows of an enterprise, why, what and when. */
export interface Access {
  readonly enterpriseId: string;
  /** Client or person, as the enterprise or the operator knows it. */
  readonly reader: string;
  readonly role: string;
  readonly purpose: string;
  readonly action: string;
  readonly object: string;
  readonly rowCount: number;
}

export interface AccessEntry extends Access {
  readonly entryId: number;
  readonly at: Date;
}

export interface AccessLog {
  /** Resolves when the entry is on disk. Whoever reads rows of an enterprise writes it first: no entry, no answer. */
  record(access: Access): Promise<void>;
  /** Newest first, from the entry behind `beforeId` on. */
  list(enterpriseId: string, page: { readonly beforeId?: number | undefined; readonly limit: number }): Promise<readonly AccessEntry[]>;
}

export function createAccessLog(database: Database, now: () => number): AccessLog {
  return {
    async record({ enterpriseId, reader, role, purpose, action, object, rowCount }) {
      await database.query(
        `INSERT INTO access_log (enterprise_id, at, reader, role, purpose, action, object, row_count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [enterpriseId, new Date(now()), reader, role, purpose, action, object, rowCount],
      );
    },
    async list(enterpriseId, { beforeId, limit }) {
      const rows = await database.query<Row & Omit<AccessEntry, 'enterpriseId'>>(
        `SELECT entry_id AS "entryId", at, reader, role, purpose, action, object, row_count AS "rowCount" FROM access_log
          WHERE enterprise_id = $1 AND ($2::bigint IS NULL OR entry_id < $2) ORDER BY entry_id DESC LIMIT $3`,
        [enterpriseId, beforeId ?? null, limit],
      );
      return rows.map((row) => ({ ...row, enterpriseId }));
    },
  };
}
