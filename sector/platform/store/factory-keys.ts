import { PermanentError } from '@nhip/core/process/errors';
import type { KeyRecord } from '../../contract/check-signature.ts';
import { type PublicJwk, publicKeyOf } from '../../contract/keys.ts';
import { hashSecret, newSecret } from '../auth/secrets.ts';
import type { Database, Queries, Row } from '../database.ts';

/** How a factory's key becomes known: the operator hands out a one-time code, the factory answers with its key. */
export interface FactoryKeys {
  /** A one-time code, told once; only its hash is kept. `keyValidFromMs`: reports issued before it will be refused. */
  makeCode(enterpriseId: string, times: { readonly keyValidFromMs: number; readonly expiresMs: number }): Promise<string>;
  /** The enterprise that an unused code is for. Does not use it up. */
  enterpriseOf(code: string): Promise<string | undefined>;
  /**
   * Uses a code up for a key, inside the caller's transaction. Resolves undefined when the code is unknown, used or expired.
   * Throws PermanentError `sector.keyExists` when the kid is enrolled already: a kid never changes its key.
   */
  redeem(queries: Queries, code: string, jwk: PublicJwk): Promise<string | undefined>;
  /** Keys of an enterprise by kid, the revoked ones too. */
  keysOf(enterpriseId: string): Promise<ReadonlyMap<string, KeyRecord>>;
  /** Reports that arrive from now on are refused; those that are there stay good. Resolves false when there is no such key in use. */
  revoke(enterpriseId: string, kid: string): Promise<boolean>;
}

export function createFactoryKeys(database: Database, now: () => number): FactoryKeys {
  const usable = 'code_hash = $1 AND used_at IS NULL AND expires_at > $2';
  return {
    async makeCode(enterpriseId, { keyValidFromMs, expiresMs }) {
      const code = newSecret('nhipe');
      await database.query('INSERT INTO enrolment VALUES ($1, $2, $3, $4, $5, NULL)', [
        hashSecret(code),
        enterpriseId,
        new Date(keyValidFromMs),
        new Date(now()),
        new Date(expiresMs),
      ]);
      return code;
    },
    async enterpriseOf(code) {
      const [row] = await database.query<{ enterprise_id: string }>(`SELECT enterprise_id FROM enrolment WHERE ${usable}`, [
        hashSecret(code),
        new Date(now()),
      ]);
      return row?.enterprise_id;
    },
    async redeem(queries, code, jwk) {
      const at = new Date(now());
      const [row] = await queries.query<{ enterprise_id: string; key_valid_from: Date }>(
        `UPDATE enrolment SET used_at = $2 WHERE ${usable} RETURNING enterprise_id, key_valid_from`,
        [hashSecret(code), at],
      );
      if (row === undefined) return undefined;
      const added = await queries.query(
        'INSERT INTO factory_key VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT (kid) DO NOTHING RETURNING kid',
        [jwk.kid, row.enterprise_id, JSON.stringify(jwk), row.key_valid_from, at],
      );
      if (added.length === 0) throw new PermanentError('sector.keyExists', `${jwk.kid} is enrolled already: give the new key another name`);
      return row.enterprise_id;
    },
    async keysOf(enterpriseId) {
      const rows = await database.query<Row & { kid: string; public_jwk: string; valid_from: Date; revoked_at: Date | null }>(
        'SELECT kid, public_jwk, valid_from, revoked_at FROM factory_key WHERE enterprise_id = $1',
        [enterpriseId],
      );
      return new Map(
        rows.map(({ kid, public_jwk, valid_from, revoked_at }) => [
          kid,
          {
            publicKey: publicKeyOf(public_jwk),
            validFromMs: valid_from.getTime(),
            ...(revoked_at === null ? {} : { revokedAtMs: revoked_at.getTime() }),
          },
        ]),
      );
    },
    async revoke(enterpriseId, kid) {
      const revoked = await database.query(
        'UPDATE factory_key SET revoked_at = $3 WHERE enterprise_id = $1 AND kid = $2 AND revoked_at IS NULL RETURNING kid',
        [enterpriseId, kid, new Date(now())],
      );
      return revoked.length > 0;
    },
  };
}
