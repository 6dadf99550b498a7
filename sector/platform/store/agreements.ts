import { PermanentError } from '@nhip/core/process/errors';
import type { AgreementRecord } from '../../contract/check-sharing.ts';
import type { ProductContract } from '../../contract/policy.ts';
import type { Purpose } from '../../contract/report.ts';
import type { Database, Row } from '../database.ts';

/** What the operator records of an agreement with an enterprise. */
export interface AgreementTerms {
  readonly agreementId: string;
  readonly products: readonly ProductContract[];
  readonly purposes: readonly Purpose[];
  /** Number of the signed document; empty: none. */
  readonly reference: string;
  readonly validFrom: Date;
  /** First moment that it does not cover; null: open end. */
  readonly validTo: Date | null;
}

export interface Agreement extends AgreementTerms {
  readonly recordedAt: Date;
  readonly revokedAt: Date | null;
  /** `operator`, or `client …` of the enterprise. */
  readonly revokedBy: string | null;
}

/** Agreements of enterprises; another's are not found. */
export interface Agreements {
  /**
   * Records an agreement; resolves false when the very same is there already. Throws PermanentError `sector.agreementExists` when the id
   * has other terms or another enterprise, `sector.agreementsFull` when there are too many.
   */
  add(enterpriseId: string, terms: AgreementTerms): Promise<boolean>;
  /** By id; the revoked ones too. */
  list(enterpriseId: string): Promise<readonly Agreement[]>;
  /** The same as the intake asks for them. */
  records(enterpriseId: string): Promise<ReadonlyMap<string, AgreementRecord>>;
  /** Ends it from now on, once: what ended it first stays. Resolves with it, undefined when there is none. */
  revoke(enterpriseId: string, agreementId: string, by: string): Promise<Agreement | undefined>;
}

export const maxAgreements = 1000;

const columns = `agreement_id AS "agreementId", products, purposes, reference, valid_from AS "validFrom", valid_to AS "validTo",
  recorded_at AS "recordedAt", revoked_at AS "revokedAt", revoked_by AS "revokedBy"`;

export function createAgreements(database: Database, now: () => number): Agreements {
  const list = (enterpriseId: string): Promise<readonly Agreement[]> =>
    database.query<Row & Agreement>(`SELECT ${columns} FROM agreement WHERE enterprise_id = $1 ORDER BY agreement_id LIMIT $2`, [
      enterpriseId,
      maxAgreements,
    ]);
  return {
    list,
    async add(enterpriseId, { agreementId, products, purposes, reference, validFrom, validTo }) {
      const terms = [agreementId, enterpriseId, products, purposes, reference, validFrom, validTo] as const;
      const added = await database.query(
        `INSERT INTO agreement (agreement_id, enterprise_id, products, purposes, reference, valid_from, valid_to, recorded_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM agreement WHERE enterprise_id = $2) < $9
             ON CONFLICT (agreement_id) DO NOTHING RETURNING agreement_id`,
        [...terms, new Date(now()), maxAgreements],
      );
      if (added.length > 0) return true;
      const [held] = await database.query<{ same: boolean }>(
        `SELECT enterprise_id = $2 AND products = $3::text[] AND purposes = $4::text[] AND reference = $5 AND valid_from = $6
                AND valid_to IS NOT DISTINCT FROM $7::timestamptz AS same FROM agreement WHERE agreement_id = $1`,
        [...terms],
      );
      if (held === undefined) {
        throw new PermanentError('sector.agreementsFull', `An enterprise has at most ${maxAgreements} agreements`);
      }
      if (held.same) return false;
      const advice = 'terms are never changed: revoke it and record a new one under another id';
      throw new PermanentError(
        'sector.agreementExists',
        `${agreementId} is recorded with other terms or for another enterprise; ${advice}`,
      );
    },
    async records(enterpriseId) {
      const found = await list(enterpriseId);
      return new Map(found.map((each) => [each.agreementId, recordOf(each)]));
    },
    async revoke(enterpriseId, agreementId, by) {
      const [found] = await database.query<Row & Agreement>(
        `UPDATE agreement SET revoked_at = coalesce(revoked_at, $3), revoked_by = coalesce(revoked_by, $4)
          WHERE enterprise_id = $1 AND agreement_id = $2 RETURNING ${columns}`,
        [enterpriseId, agreementId, new Date(now()), by],
      );
      return found;
    },
  };
}

function recordOf({ products, purposes, validFrom, validTo, revokedAt }: Agreement): AgreementRecord {
  return {
    products,
    purposes,
    validFromMs: validFrom.getTime(),
    ...(validTo === null ? {} : { validToMs: validTo.getTime() }),
    ...(revokedAt === null ? {} : { revokedAtMs: revokedAt.getTime() }),
  };
}
