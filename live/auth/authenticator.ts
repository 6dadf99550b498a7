import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { RetryableError } from '@nhip/core/process/errors';
import type { RequestFacts } from '../http/request-facts.ts';
import { type Backoff, createBackoff } from './backoff.ts';
import type { Scope } from './scope.ts';
import type { SessionFile } from './session-file.ts';
import { createSessions, type Session } from './sessions.ts';
import type { Tokens } from './tokens.ts';
import type { User, Users } from './users.ts';

export const sessionCookie = 'nhip_session';

/** Who asks, and what that allows. */
export interface Identity {
  readonly by: 'session' | 'basic' | 'token' | 'demo';
  /** For the audit: name of the user or of the token; `demo`. */
  readonly name: string;
  /** null for a viewer of the demo and for a token. */
  readonly user: User | null;
  readonly scope: Scope;
  readonly session?: Session | undefined;
  /** Whether it still holds: sessions end, tokens expire. Keeps a session from going idle. */
  isValid(nowMs: number): Promise<boolean>;
}

type Asked = Pick<RequestFacts, 'headers' | 'address'>;

export interface Authenticator {
  /**
   * Who the request is from: session cookie, Bearer token, Basic credentials of a local user, or a viewer of the demo on
   * loopback. undefined when it names nobody or is wrong. Rejects with RetryableError when it must wait.
   */
  identify(request: Asked, nowMs: number): Promise<Identity | undefined>;
  /**
   * Checks a password and starts a new session, one that stays when `wantsToStay` and that is allowed; resolves with its secret,
   * undefined when name or password is wrong.
   */
  login(name: string, password: string, request: Asked, nowMs: number, wantsToStay?: boolean): Promise<Login | undefined>;
  /** Ends the session that the request carries, if any. */
  logout(request: Asked): void;
  /** Ends the sessions of a user on all devices. */
  logoutEverywhere(user: User): void;
  /** Called with every session that ends before its time. */
  onSessionEnded(listener: (session: Session) => void): void;
}

export interface Login {
  readonly secret: string;
  readonly user: User;
  readonly stays: boolean;
}

export interface AuthenticatorDeps {
  readonly users: Pick<Users, 'check' | 'isCurrent'>;
  readonly tokens: Pick<Tokens, 'find'>;
  /** A viewer on loopback may read without a login. */
  readonly demo: boolean;
  /** For devices that stay logged in; undefined: none may. */
  readonly staying?: Staying | undefined;
}

export interface Staying {
  /** How long without use. */
  readonly rememberMs: number;
  readonly file: Pick<SessionFile, 'before' | 'changed'>;
}

const basicTtlMs = 5 * 60_000;
const maxBasic = 100;

export function createAuthenticator({ users, tokens, demo, staying }: AuthenticatorDeps): Authenticator {
  const listeners: ((session: Session) => void)[] = [];
  const sessions = createSessions({
    ended(session) {
      for (const listener of listeners) listener(session);
    },
    rememberMs: staying?.rememberMs ?? 0,
    before: staying?.file.before ?? [],
    keptChanged: (kept) => staying?.file.changed(kept),
  });
  const backoff = createBackoff();
  const basic = createBasicCache();

  async function checkPassword(name: string, password: string, address: string, nowMs: number): Promise<User | undefined> {
    refuseWhileBlocked(backoff, name, address, nowMs);
    const user = await users.check(name, password);
    if (user !== undefined) backoff.succeeded(name, address);
    return user;
  }

  async function identifyBasic(credentials: string, address: string, nowMs: number): Promise<Identity | undefined> {
    let user = basic.find(credentials, nowMs);
    if (user === undefined || !(await users.isCurrent(user, nowMs))) {
      const text = Buffer.from(credentials, 'base64').toString('utf8');
      const colon = text.indexOf(':');
      if (colon < 0) return undefined;
      user = await checkPassword(text.slice(0, colon), text.slice(colon + 1), address, nowMs);
      if (user === undefined) return undefined;
      basic.keep(credentials, user, nowMs);
    }
    const known = user;
    return { by: 'basic', name: user.name, user, scope: user.role, isValid: (laterMs) => users.isCurrent(known, laterMs) };
  }

  /** A user who was removed or has another password is logged out. */
  async function findSession(secret: string, nowMs: number): Promise<Session | undefined> {
    const session = sessions.find(secret, nowMs);
    if (session === undefined || (await users.isCurrent(session.user, nowMs))) return session;
    sessions.end(secret);
    return undefined;
  }

  async function identifyToken(token: string, nowMs: number): Promise<Identity | undefined> {
    const found = await tokens.find(token, nowMs);
    if (found === undefined) return undefined;
    const isValid = async (laterMs: number) => (await tokens.find(token, laterMs)) !== undefined;
    return { by: 'token', name: found.name, user: null, scope: found.scope, isValid };
  }

  return {
    async identify({ headers, address }, nowMs) {
      const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(headers.authorization ?? '') ?? [];
      if (scheme.toLowerCase() === 'bearer') return identifyToken(credentials, nowMs);
      if (scheme.toLowerCase() === 'basic') return identifyBasic(credentials, address, nowMs);
      const secret = cookieOf(headers.cookie, sessionCookie);
      const session = secret === undefined ? undefined : await findSession(secret, nowMs);
      if (secret !== undefined && session !== undefined) {
        const isValid = async (laterMs: number) => (await findSession(secret, laterMs)) !== undefined;
        return { by: 'session', name: session.user.name, user: session.user, scope: session.user.role, session, isValid };
      }
      return demo && isLocal(address, headers)
        ? { by: 'demo', name: 'demo', user: null, scope: 'read', isValid: async () => true }
        : undefined;
    },
    async login(name, password, { headers, address }, nowMs, wantsToStay = false) {
      const user = await checkPassword(name, password, address, nowMs);
      if (user === undefined) return undefined;
      // A secret that the browser brought along is never taken over (session fixation), and one login has one session.
      const before = cookieOf(headers.cookie, sessionCookie);
      if (before !== undefined) sessions.end(before);
      const stays = wantsToStay && staying !== undefined;
      return { secret: sessions.start(user, nowMs, stays), user, stays };
    },
    logout({ headers }) {
      const secret = cookieOf(headers.cookie, sessionCookie);
      if (secret !== undefined) sessions.end(secret);
    },
    logoutEverywhere({ name }) {
      sessions.endAllOf(name);
    },
    onSessionEnded(listener) {
      listeners.push(listener);
    },
  };
}

function refuseWhileBlocked(backoff: Backoff, name: string, address: string, nowMs: number): void {
  const retryAfterMs = backoff.attempt(name, address, nowMs);
  if (retryAfterMs === 0) return;
  const seconds = Math.ceil(retryAfterMs / 1000);
  throw new RetryableError('live.tooManyLogins', `Too many failed logins: try again in ${seconds} s.`, { retryAfterMs });
}

/** Checked Basic credentials for five minutes, by a hash under a key of this process: programs send them with every request. */
function createBasicCache() {
  const key = randomBytes(32);
  const entries = new Map<string, { readonly user: User; readonly untilMs: number }>();
  const hash = (credentials: string) => createHmac('sha256', key).update(credentials).digest('base64');
  return {
    find(credentials: string, nowMs: number): User | undefined {
      const entry = entries.get(hash(credentials));
      return entry !== undefined && nowMs < entry.untilMs ? entry.user : undefined;
    },
    keep(credentials: string, user: User, nowMs: number): void {
      const [oldest] = entries.keys();
      if (entries.size >= maxBasic && oldest !== undefined) entries.delete(oldest);
      entries.set(hash(credentials), { user, untilMs: nowMs + basicTtlMs });
    },
  };
}

/** The value of a cookie in a Cookie header; the first one when it is there twice. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

/** From this computer itself, not through a proxy on it. */
function isLocal(address: string, headers: IncomingHttpHeaders): boolean {
  const isLoopback = address === '::1' || /^(::ffff:)?127\./.test(address);
  return isLoopback && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;
}
