import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { changedAtMs, readSecretFile, writeSecretFile } from './secret-file.ts';

const tokensFile = z.strictObject({
  version: z.literal(1).describe('Format of this file'),
  tokens: z
    .array(
      z.strictObject({
        name: z.string().describe('What the token is for'),
        access: z.enum(['read', 'change']).describe('What its bearer may do'),
        sha256: z.string().describe('Hash of the token, base64'),
        expiresMs: z.number().nullable().describe('End of its life, ms UTC; null: none'),
      }),
    )
    .describe('API tokens'),
});
type Entry = z.infer<typeof tokensFile>['tokens'][number];

/** What the bearer of a token may do. */
export type Token = Omit<Entry, 'sha256'>;

/** API tokens for programs (Grafana, scripts), in `tokens.json` of the data folder. Only hashes are stored. */
export interface Tokens {
  /** The token's entry, while it lives. */
  find(token: string, nowMs: number): Promise<Token | undefined>;
}

const prefix = 'nhip_';
const recheckMs = 1000;

/**
 * Opens the tokens. A token that another process adds is seen within a second. `localToken` may change everything as long as this
 * process lives; it is in no file of this module. Throws ConfigError for a file that cannot be trusted.
 */
export async function openTokens(dataDir: string, localToken?: string): Promise<Tokens> {
  const localHash = localToken === undefined ? undefined : hashOf(localToken);
  const path = join(dataDir, 'tokens.json');
  let changedMs = await changedAtMs(path);
  let checkedMs = Number.NEGATIVE_INFINITY;
  let entries = await load(path);
  return {
    async find(token, nowMs) {
      if (!token.startsWith(prefix)) return undefined;
      if (Math.abs(nowMs - checkedMs) >= recheckMs) {
        checkedMs = nowMs;
        const latestMs = await changedAtMs(path);
        if (latestMs !== changedMs) {
          changedMs = latestMs;
          entries = await load(path);
        }
      }
      const hash = hashOf(token);
      if (localHash !== undefined && isSame(localHash, hash)) return { name: 'this computer', access: 'change', expiresMs: null };
      const entry = entries.find((each) => isSame(Buffer.from(each.sha256, 'base64'), hash));
      if (entry === undefined || (entry.expiresMs !== null && entry.expiresMs <= nowMs)) return undefined;
      const { sha256: _, ...found } = entry;
      return found;
    },
  };
}

/** Makes a token and stores its hash; the token itself is returned once and cannot be read again. */
export async function addToken(dataDir: string, token: Token): Promise<string> {
  const path = join(dataDir, 'tokens.json');
  const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
  const entries = await load(path);
  const tokens = [...entries, { ...token, sha256: hashOf(secret).toString('base64') }];
  await writeSecretFile(path, { version: 1, tokens });
  return secret;
}

async function load(path: string): Promise<readonly Entry[]> {
  return (await readSecretFile(path, tokensFile))?.tokens ?? [];
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
