import { createHash, randomBytes } from 'node:crypto';
import type { User } from './users.ts';

const idleMs = 30 * 60_000;
const absoluteMs = 12 * 3_600_000;
const maxSessions = 1000;

/** A login, as the server remembers it. */
export interface Session {
  readonly user: User;
  readonly startedMs: number;
}

/** Logins of browsers, in memory: a restart of the server ends them. */
export interface Sessions {
  /** Starts a session; returns its secret (256 bits), which only the browser keeps. */
  start(user: User, nowMs: number): string;
  /** The running session with this secret; keeps it from going idle. */
  find(secret: string, nowMs: number): Session | undefined;
  end(secret: string): void;
  readonly size: number;
}

/** `ended` is called with every session that was ended before its time, by logout or because there are too many. */
export function createSessions(ended: (session: Session) => void): Sessions {
  /** By SHA-256 of the secret, oldest first: a look-up by hash tells nothing through its timing, a memory dump opens no session. */
  const sessions = new Map<string, { readonly session: Session; usedMs: number }>();

  function remove(key: string): void {
    const entry = sessions.get(key);
    if (entry === undefined) return;
    sessions.delete(key);
    ended(entry.session);
  }

  return {
    start(user, nowMs) {
      const [oldest] = sessions.keys();
      if (sessions.size >= maxSessions && oldest !== undefined) remove(oldest);
      const secret = randomBytes(32).toString('base64url');
      sessions.set(keyOf(secret), { session: { user, startedMs: nowMs }, usedMs: nowMs });
      return secret;
    },
    find(secret, nowMs) {
      const key = keyOf(secret);
      const entry = sessions.get(key);
      if (entry === undefined) return undefined;
      if (nowMs - entry.usedMs > idleMs || nowMs - entry.session.startedMs > absoluteMs) {
        remove(key);
        return undefined;
      }
      entry.usedMs = nowMs;
      return entry.session;
    },
    end(secret) {
      remove(keyOf(secret));
    },
    get size() {
      return sessions.size;
    },
  };
}

function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
