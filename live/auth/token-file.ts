import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PermanentError } from '@nhip/core/process/errors';
import { z } from 'zod';
import { type Scope, scopes } from './scope.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';
import { readUses } from './token-uses.ts';

const maxTokens = 200;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const tokensFile = z.strictObject({
  version: z.literal(2).describe('Format of this file'),
  tokens: z
    .array(
      z.strictObject({
        name: z.string().regex(namePattern).describe('What the token is for'),
        scope: z.enum(scopes).describe('What its bearer may do'),
        sha256: z.string().describe('Hash of the token, base64'),
        createdMs: z.number().describe('When it was made, ms UTC'),
        expiresMs: z.number().nullable().describe('End of its life, ms UTC; null: none'),
      }),
    )
    .max(maxTokens)
    .describe('API tokens'),
});
export type TokenEntry = z.infer<typeof tokensFile>['tokens'][number];

/** What the bearer of a token may do. */
export type Token = Omit<TokenEntry, 'sha256'>;

export interface ListedToken extends Token {
  /** Begin of the hour of its last use, ms UTC; null: not used yet. */
  readonly lastUsedMs: number | null;
}

export const tokenPrefix = 'nhip_';

export function tokensPath(dataDir: string): string {
  return join(dataDir, 'tokens.json');
}

/** The stored tokens. Throws ConfigError for a file that cannot be trusted. */
export async function readTokens(dataDir: string): Promise<readonly TokenEntry[]> {
  return (await readSecretFile(tokensPath(dataDir), tokensFile))?.tokens ?? [];
}

/**
 * Makes a token and stores its hash; the token itself is returned once and cannot be read again. A running server takes it within a
 * second. Throws PermanentError `token.name`, `token.exists` or `token.tooMany`, and ConfigError for a file that cannot be trusted.
 */
export async function addToken(
  dataDir: string,
  { name, scope, expiresMs }: { readonly name: string; readonly scope: Scope; readonly expiresMs: number | null },
  nowMs: number,
): Promise<string> {
  if (!namePattern.test(name)) {
    throw new PermanentError('token.name', `"${name}" is no name of a token: letters, digits, . _ -, at most 64, e.g. grafana`);
  }
  const known = await readTokens(dataDir);
  if (known.some((each) => each.name === name)) {
    throw new PermanentError('token.exists', `There is a token ${name} already: remove it first, or choose another name`);
  }
  if (known.length >= maxTokens) throw new PermanentError('token.tooMany', `There are ${maxTokens} tokens already: remove some first`);
  const secret = `${tokenPrefix}${randomBytes(32).toString('base64url')}`;
  const entry: TokenEntry = { name, scope, sha256: tokenHash(secret).toString('base64'), createdMs: nowMs, expiresMs };
  await writeSecretFile(tokensPath(dataDir), { version: 2, tokens: [...known, entry] });
  return secret;
}

/** All tokens without their hashes. Throws ConfigError for a file that cannot be trusted. */
export async function listTokens(dataDir: string): Promise<readonly ListedToken[]> {
  const uses = await readUses(dataDir);
  return (await readTokens(dataDir)).map(({ sha256: _, ...token }) => {
    const usedMs = uses[token.name];
    // A use from before it was made was one of another token with the same name; uses are told by the hour.
    const isItsOwn = usedMs !== undefined && usedMs + 3_600_000 > token.createdMs;
    return { ...token, lastUsedMs: isItsOwn ? usedMs : null };
  });
}

/** Returns whether there was one. A running server refuses it within a second and closes its live connections within five. */
export async function removeToken(dataDir: string, name: string): Promise<boolean> {
  const known = await readTokens(dataDir);
  const tokens = known.filter((each) => each.name !== name);
  if (tokens.length === known.length) return false;
  await writeSecretFile(tokensPath(dataDir), { version: 2, tokens });
  return true;
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
