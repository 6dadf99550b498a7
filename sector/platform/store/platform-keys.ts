import type { PublicJwk } from '../../contract/keys.ts';
import type { Database } from '../database.ts';

/** Remembers the public half of a key that signs receipts: old receipts are checked with old keys. */
export async function keepPlatformKey(database: Database, jwk: PublicJwk, nowMs: number): Promise<void> {
  await database.query('INSERT INTO platform_key VALUES ($1, $2, $3) ON CONFLICT (kid) DO NOTHING', [
    jwk.kid,
    JSON.stringify(jwk),
    new Date(nowMs),
  ]);
}

/** Every key that ever signed, the newest last. */
export async function platformKeys(database: Database): Promise<readonly PublicJwk[]> {
  const rows = await database.query<{ public_jwk: string }>('SELECT public_jwk FROM platform_key ORDER BY first_used_at, kid');
  return rows.map(({ public_jwk }) => JSON.parse(public_jwk) as PublicJwk);
}
