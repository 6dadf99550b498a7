import type { Database, Row } from '../database.ts';

/** One stored revision, without its bytes. */
export interface StoredReport {
  readonly reportId: string;
  readonly establishmentId: string;
  readonly seriesKey: string;
  readonly revision: number;
  readonly digest: string;
  readonly status: string;
  readonly duration: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  readonly recordedAt: Date;
  readonly supersededAt: Date | null;
  readonly warnings: number;
  readonly leafIndex: number;
}

export interface ReportFilter {
  readonly establishmentId?: string | undefined;
  /** Periods that begin at or after it. */
  readonly from?: Date | undefined;
  /** Periods that begin before it. */
  readonly to?: Date | undefined;
  /** What the platform knew then; absent: now. */
  readonly asOf?: Date | undefined;
  /** Leaf index of the last row of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Reads of one enterprise's reports; another's are not found. */
export interface Reports {
  /** The newest revision of each period, as known at `asOf`; newest arrival first. */
  list(enterpriseId: string, filter: ReportFilter): Promise<readonly StoredReport[]>;
  /** All revisions of a series, oldest first; with `asOf` the one that was current then, if any. */
  series(enterpriseId: string, seriesKey: string, asOf?: Date | undefined): Promise<readonly StoredReport[]>;
  /** The bytes as they came. */
  body(enterpriseId: string, reportId: string): Promise<{ readonly bytes: Buffer; readonly digest: string } | undefined>;
  /** The bytes of the first receipt. */
  receipt(enterpriseId: string, reportId: string): Promise<Buffer | undefined>;
  /** The same by the digest of the report. */
  receiptOfDigest(enterpriseId: string, digest: string): Promise<Buffer | undefined>;
}

const columns = `report_id::text AS "reportId", establishment_id AS "establishmentId", series_key AS "seriesKey", revision, digest, status,
  duration, valid_from AS "validFrom", valid_to AS "validTo", recorded_at AS "recordedAt", superseded_at AS "supersededAt", warnings,
  leaf_index AS "leafIndex"`;

/** Known at a moment: recorded, and not yet superseded. */
const knownAt = (param: string): string =>
  `(CASE WHEN ${param}::timestamptz IS NULL THEN superseded_at IS NULL
         ELSE recorded_at <= ${param} AND (superseded_at IS NULL OR superseded_at > ${param}) END)`;

export function createReports(database: Database): Reports {
  const receiptWhere = async (condition: string, params: readonly string[]): Promise<Buffer | undefined> => {
    const [row] = await database.query<{ receipt: Uint8Array }>(
      `SELECT receipt FROM report WHERE enterprise_id = $1 AND ${condition}`,
      params,
    );
    return row === undefined ? undefined : Buffer.from(row.receipt);
  };
  return {
    list: (enterpriseId, { establishmentId, from, to, asOf, before, limit }) =>
      database.query<Row & StoredReport>(
        `SELECT ${columns} FROM report
          WHERE enterprise_id = $1 AND ($2::text IS NULL OR establishment_id = $2) AND ($3::timestamptz IS NULL OR valid_from >= $3)
            AND ($4::timestamptz IS NULL OR valid_from < $4) AND ${knownAt('$5')} AND ($6::bigint IS NULL OR leaf_index < $6)
          ORDER BY leaf_index DESC LIMIT $7`,
        [enterpriseId, establishmentId ?? null, from ?? null, to ?? null, asOf ?? null, before ?? null, limit],
      ),
    series: (enterpriseId, seriesKey, asOf) =>
      database.query<Row & StoredReport>(
        `SELECT ${columns} FROM report
          WHERE enterprise_id = $1 AND series_key = $2 AND ($3::timestamptz IS NULL OR ${knownAt('$3')}) ORDER BY revision`,
        [enterpriseId, seriesKey, asOf ?? null],
      ),
    async body(enterpriseId, reportId) {
      const [row] = await database.query<{ body: Uint8Array; digest: string }>(
        'SELECT body, digest FROM report WHERE enterprise_id = $1 AND report_id = $2',
        [enterpriseId, reportId],
      );
      return row === undefined ? undefined : { bytes: Buffer.from(row.body), digest: row.digest };
    },
    receipt: (enterpriseId, reportId) => receiptWhere('report_id = $2', [enterpriseId, reportId]),
    receiptOfDigest: (enterpriseId, digest) => receiptWhere('digest = $2', [enterpriseId, digest]),
  };
}
