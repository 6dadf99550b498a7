import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical.ts';
import type { Digest, ProductionReport } from './report.ts';

/**
 * `sha-256:` and the hex SHA-256 over the UTF-8 bytes of a value's canonical JSON. Of a report: over the whole signed report, its
 * signature included, so that the digest names exactly the bytes that were sent. Throws CanonicalError for a value without canonical form.
 */
export function digestOf(value: unknown): Digest {
  return digestOfBytes(Buffer.from(canonicalJson(value), 'utf8'));
}

/** The same form of digest over bytes that exist already. */
export function digestOfBytes(bytes: Uint8Array): Digest {
  return `sha-256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The bytes of a signed report: canonical JSON in UTF-8. These are sent, stored, given back and digested; there is no second form. */
export function reportBytes(report: ProductionReport): Buffer {
  return Buffer.from(canonicalJson(report), 'utf8');
}
