import { randomBytes } from 'node:crypto';
import { hashSecret } from '../auth/secrets.ts';
import type { TokenHolder } from '../store/credentials.ts';

export const sessionCookie = 'nhip_sector';

/** Logins of the page, in memory: they end with the process, after half an hour without use, or after twelve hours. */
export interface Sessions {
  start(client: TokenHolder, nowMs: number): string;
  find(cookieHeader: string | undefined, nowMs: number): TokenHolder | undefined;
  end(cookieHeader: string | undefined): void;
}

const idleMs = 30 * 60_000;
const longestMs = 12 * 3_600_000;
const maxSessions = 1000;

export function createSessions(): Sessions {
  /** By hash of the secret; oldest first. */
  const sessions = new Map<string, { readonly client: TokenHolder; readonly sinceMs: number; usedMs: number }>();
  const keyOf = (secret: string): string => hashSecret(secret).toString('hex');
  return {
    start(client, nowMs) {
      const secret = randomBytes(32).toString('base64url');
      sessions.set(keyOf(secret), { client, sinceMs: nowMs, usedMs: nowMs });
      const [oldest] = sessions.keys();
      if (sessions.size > maxSessions && oldest !== undefined) sessions.delete(oldest);
      return secret;
    },
    find(header, nowMs) {
      const key = keyOf(cookieOf(header));
      const session = sessions.get(key);
      if (session === undefined) return undefined;
      if (nowMs - session.usedMs > idleMs || nowMs - session.sinceMs > longestMs) {
        sessions.delete(key);
        return undefined;
      }
      session.usedMs = nowMs;
      return session.client;
    },
    end: (header) => void sessions.delete(keyOf(cookieOf(header))),
  };
}

function cookieOf(header = ''): string {
  const found = header.split(';').find((pair) => pair.trim().startsWith(`${sessionCookie}=`));
  return found?.trim().slice(sessionCookie.length + 1) ?? '';
}
