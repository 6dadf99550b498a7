import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits behind a word that says what it is, for secret scanners and for people: `nhips_…`. */
export function newSecret(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

/**
 * What is stored of a secret. A plain hash is enough and scrypt would add nothing: nobody guesses 256 random bits, and a slow hash would
 * let anybody keep our processors busy by wrong secrets.
 */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Compares in constant time. `stored` undefined (nobody of that name) takes as long as a wrong secret. */
export function isSecret(secret: string, stored: Uint8Array | undefined): boolean {
  const given = hashSecret(secret);
  const isSame = timingSafeEqual(given, stored ?? Buffer.alloc(given.length));
  return isSame && stored !== undefined;
}
