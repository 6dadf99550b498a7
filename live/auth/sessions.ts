import { createHash, randomBytes } from 'node:crypto';
import type { User } from './users.ts';

const idleMs = 30 * 60_000;
const absoluteMs = 12 * 3_600_000;
const dayMs = 86_400_000;
/** Also a device that stays logged in asks for the password once a year. */
const rememberedAbsoluteMs = 365 * dayMs;
export const maxSessions = 1000;

/** A login, as the server remembers it. */
export interface Session {
  readonly user: User;
  readonly startedMs: number;
  /** Whether the device stays logged in, over restarts of the server too. */
  readonly isRemembered: boolean;
}

/** A session that stays, as it is kept on the disk. */
export interface KeptSession {
  /** Of its secret, base64. */
  readonly sha256: string;
  readonly user: User;
  readonly startedMs: number;
  /** Begin of the day of its last use. */
  readonly usedMs: number;
}

/** Logins of browsers. A restart of the server ends all but those that are kept. */
export interface Sessions {
  /** Starts a session; returns its secret (256 bits), which only the browser keeps. */
  start(user: User, nowMs: number, isRemembered?: boolean): string;
  /** The running session with this secret; keeps it from going idle. */
  find(secret: string, nowMs: number): Session | undefined;
  end(secret: string): void;
  /** Ends all sessions of the user with this name. */
  endAllOf(name: string): void;
  readonly size: number;
}

export interface SessionsOptions {
  /** Called with every session that ended before its time, by logout, by age or because there are too many. */
  ended(session: Session): void;
  /** How long a remembered session lives without use. */
  readonly rememberMs: number;
  /** Of the process before. */
  readonly before?: readonly KeptSession[];
  /** Called when what is to be kept has changed; uses count by the day. */
  keptChanged?(kept: () => readonly KeptSession[]): void;
}

interface Entry {
  readonly session: Session;
  usedMs: number;
}

export function createSessions({ ended, rememberMs, before = [], keptChanged }: SessionsOptions): Sessions {
  /** By SHA-256 of the secret: a look-up by hash tells nothing through its timing, a memory dump opens no session. */
  const sessions = new Map<string, Entry>(
    before.map(({ sha256, user, startedMs, usedMs }) => [sha256, { session: { user, startedMs, isRemembered: true }, usedMs }]),
  );

  const kept = (): readonly KeptSession[] =>
    [...sessions].flatMap(([sha256, { session, usedMs }]) => {
      const { user, startedMs, isRemembered } = session;
      return isRemembered ? [{ sha256, user, startedMs, usedMs: dayOf(usedMs) }] : [];
    });

  function changed({ isRemembered }: Session): void {
    if (isRemembered) keptChanged?.(kept);
  }

  function remove(key: string): void {
    const entry = sessions.get(key);
    if (entry === undefined) return;
    sessions.delete(key);
    changed(entry.session);
    ended(entry.session);
  }

  function isOver({ session, usedMs }: Entry, nowMs: number): boolean {
    const [idle, absolute] = session.isRemembered ? [rememberMs, rememberedAbsoluteMs] : [idleMs, absoluteMs];
    return nowMs - usedMs > idle || nowMs - session.startedMs > absolute;
  }

  /** What is over goes first, then what was not used for longest; a device that was to stay goes last. */
  function makeRoom(nowMs: number): void {
    for (const [key, entry] of sessions) if (isOver(entry, nowMs)) remove(key);
    if (sessions.size < maxSessions) return;
    const inOrder = [...sessions].sort(
      ([, a], [, b]) => Number(a.session.isRemembered) - Number(b.session.isRemembered) || a.usedMs - b.usedMs,
    );
    const [first] = inOrder;
    if (first !== undefined) remove(first[0]);
  }

  return {
    start(user, nowMs, isRemembered = false) {
      if (sessions.size >= maxSessions) makeRoom(nowMs);
      const secret = randomBytes(32).toString('base64url');
      const session = { user, startedMs: nowMs, isRemembered };
      sessions.set(keyOf(secret), { session, usedMs: nowMs });
      changed(session);
      return secret;
    },
    find(secret, nowMs) {
      const key = keyOf(secret);
      const entry = sessions.get(key);
      if (entry === undefined) return undefined;
      if (isOver(entry, nowMs)) {
        remove(key);
        return undefined;
      }
      const isAnotherDay = dayOf(entry.usedMs) !== dayOf(nowMs);
      entry.usedMs = nowMs;
      if (isAnotherDay) changed(entry.session);
      return entry.session;
    },
    end(secret) {
      remove(keyOf(secret));
    },
    endAllOf(name) {
      for (const [key, { session }] of sessions) if (session.user.name === name) remove(key);
    },
    get size() {
      return sessions.size;
    },
  };
}

function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}

function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs) * dayMs;
}
