import { PermanentError } from '@nhip/core/process/errors';
import type { Queries } from '../database.ts';

export const maxCertificates = 10;

/**
 * Gives a client a certificate, inside the caller's transaction; the tokens that it has end. Resolves false when there is no such client in
 * use. Throws PermanentError `sector.certificateTaken` when it is that of another enterprise, `sector.certificatesFull` at more than 10.
 */
export async function addCertificate(
  queries: Queries,
  { enterpriseId, clientId, thumbprint, at }: OneCertificate & { readonly at: Date },
): Promise<boolean> {
  const owners = await queries.query<{ enterprise_id: string }>(
    'SELECT enterprise_id FROM client_certificate JOIN credential USING (client_id) WHERE thumbprint = $1 AND enterprise_id <> $2',
    [thumbprint, enterpriseId],
  );
  if (owners.length > 0) throw new PermanentError('sector.certificateTaken', 'This certificate is that of another enterprise');
  const clients = await queries.query(
    'SELECT 1 FROM credential WHERE enterprise_id = $1 AND client_id = $2 AND revoked_at IS NULL FOR NO KEY UPDATE',
    [enterpriseId, clientId],
  );
  if (clients.length === 0) return false;
  const [held] = await queries.query<{ certificates: number }>(
    'SELECT count(*)::int AS certificates FROM client_certificate WHERE client_id = $1 AND thumbprint <> $2',
    [clientId, thumbprint],
  );
  if ((held?.certificates ?? 0) >= maxCertificates) {
    throw new PermanentError('sector.certificatesFull', `A client has at most ${maxCertificates} certificates: take one away first`);
  }
  await queries.query('INSERT INTO client_certificate VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [clientId, thumbprint, at]);
  await endTokens(queries, clientId);
  return true;
}

/** Takes a certificate away; the tokens of its client end. Resolves false when the client has none such. */
export async function removeCertificate(queries: Queries, { enterpriseId, clientId, thumbprint }: OneCertificate): Promise<boolean> {
  const gone = await queries.query(
    `DELETE FROM client_certificate USING credential c
      WHERE client_certificate.client_id = c.client_id AND c.enterprise_id = $1 AND c.client_id = $2 AND thumbprint = $3 RETURNING thumbprint`,
    [enterpriseId, clientId, thumbprint],
  );
  // The id may be that of another enterprise: then nothing was found.
  if (gone.length > 0) await endTokens(queries, clientId);
  return gone.length > 0;
}

export interface OneCertificate {
  readonly enterpriseId: string;
  readonly clientId: string;
  /** SHA-256 of the DER as lower-case hex. */
  readonly thumbprint: string;
}

async function endTokens(queries: Queries, clientId: string): Promise<void> {
  await queries.query('DELETE FROM access_token WHERE client_id = $1', [clientId]);
}
