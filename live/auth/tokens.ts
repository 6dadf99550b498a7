import { timingSafeEqual } from 'node:crypto';
import type { Log } from '@nhip/core/process/log';
import { versionOf } from './file-version.ts';
import { readTokens, type Token, tokenHash, tokenPrefix, tokensPath } from './token-file.ts';
import { openTokenUses } from './token-uses.ts';

/** API tokens for programs (Grafana, scripts), in `tokens.json` of the data folder. Only hashes are stored. */
export interface Tokens {
  /** The token's entry, while it lives. */
  find(token: string, nowMs: number): Promise<Token | undefined>;
  /** Resolves when the last uses are on the disk. */
  close(): Promise<void>;
}

const recheckMs = 1000;

/**
 * Opens the tokens. One that another process adds or removes is seen within a second. `localToken` may do everything as long as this
 * process lives; it is in no file of this module. Throws ConfigError for a file that cannot be trusted; one that cannot be read later
 * is logged once and changes nothing.
 */
export async function openTokens(dataDir: string, log: Log, localToken?: string): Promise<Tokens> {
  const localHash = localToken === undefined ? undefined : tokenHash(localToken);
  const path = tokensPath(dataDir);
  const uses = await openTokenUses(dataDir, log);
  let version = await versionOf(path);
  let checkedMs = Number.NEGATIVE_INFINITY;
  let entries = await readTokens(dataDir);

  async function refresh(): Promise<void> {
    const latest = await versionOf(path);
    if (latest === version) return;
    version = latest;
    try {
      entries = await readTokens(dataDir);
    } catch (err) {
      log.error({ err }, 'API tokens stay as they were');
    }
  }

  return {
    async find(token, nowMs) {
      if (!token.startsWith(tokenPrefix)) return undefined;
      if (Math.abs(nowMs - checkedMs) >= recheckMs) {
        checkedMs = nowMs;
        await refresh();
      }
      const hash = tokenHash(token);
      if (localHash !== undefined && isSame(localHash, hash)) {
        return { name: 'this computer', scope: 'admin', createdMs: 0, expiresMs: null };
      }
      const entry = entries.find((each) => isSame(Buffer.from(each.sha256, 'base64'), hash));
      if (entry === undefined || (entry.expiresMs !== null && entry.expiresMs <= nowMs)) return undefined;
      uses.note(entry.name, nowMs);
      const { sha256: _, ...found } = entry;
      return found;
    },
    close: () => uses.settled(),
  };
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
