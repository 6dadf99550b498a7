import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGate } from '../gate.ts';
import { cookieOf, createAuthenticator } from './authenticator.ts';
import { createBackoff } from './backoff.ts';
import { createPasswords } from './password.ts';
import { allows } from './scope.ts';
import { createSessions } from './sessions.ts';
import { addToken, listTokens, removeToken } from './token-file.ts';
import { openTokens } from './tokens.ts';
import { openUsers } from './users.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-auth-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('users', () => {
  const random = { adminPassword: undefined, log: silentLog() };

  it('makes admin with a random password on the first start, and tells it only then', async () => {
    const first = await openUsers(folder, createPasswords(), random);
    expect(first.firstPassword).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    // A start that fails before `keep` leaves nothing that would hide the password of the next.
    expect((await openUsers(folder, createPasswords(), random)).firstPassword).toBeDefined();
    await first.keep();
    const second = await openUsers(folder, createPasswords(), random);
    expect(second.firstPassword).toBeUndefined();
    expect(await second.users.check('admin', first.firstPassword ?? '')).toEqual({ name: 'admin', role: 'admin' });
    expect(await second.users.check('admin', 'wrong')).toBeUndefined();
    expect(await second.users.check('nobody', first.firstPassword ?? '')).toBeUndefined();
    expect((await stat(join(folder, 'users.json'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'users.json'), 'utf8')).not.toContain(first.firstPassword);
  });

  it('refuses a short password, a file that others can read, and a file that is none', async () => {
    await expect(openUsers(join(folder, 'new'), createPasswords(), { adminPassword: 'short', log: silentLog() })).rejects.toThrow(
      /at least 12/,
    );
    await chmod(join(folder, 'users.json'), 0o644);
    await expect(openUsers(folder, createPasswords(), random)).rejects.toThrow(/chmod 600/);
    await writeFile(join(folder, 'users.json'), '{"version":1,"users":[{"name":"x"}]}', { mode: 0o600 });
    await chmod(join(folder, 'users.json'), 0o600);
    await expect(openUsers(folder, createPasswords(), random)).rejects.toThrow(ConfigError);
  });
});

describe('gate', () => {
  it('runs two at once, lets a bounded number wait, refuses the rest', async () => {
    const gate = createGate('jobs', { atOnce: 2, queued: 3 });
    let running = 0;
    let most = 0;
    const job = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => gate.run(job)));
    expect(most).toBe(2);
    expect(results.map(({ status }) => status)).toEqual([...Array(5).fill('fulfilled'), ...Array(4).fill('rejected')]);
    await gate.run(job);
    await expect(gate.run(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
    await gate.run(job);
  });
});

describe('backoff', () => {
  it('waits after five failures of an account from an address, longer each time, and harms nobody else', () => {
    const backoff = createBackoff();
    for (let i = 0; i < 5; i++) expect(backoff.attempt('admin', '10.0.0.1', 0)).toBe(0);
    expect(backoff.attempt('admin', '10.0.0.1', 0)).toBe(1000);
    expect(backoff.attempt('admin', '10.0.0.2', 0)).toBe(0);
    expect(backoff.attempt('other', '10.0.0.1', 0)).toBe(0);
    expect(backoff.attempt('admin', '10.0.0.1', 1000)).toBe(0);
    expect(backoff.attempt('admin', '10.0.0.1', 1000)).toBe(2000);
    backoff.succeeded('admin', '10.0.0.1');
    expect(backoff.attempt('admin', '10.0.0.1', 1000)).toBe(0);
  });

  it('stops spraying over many accounts from one address, and forgets after an hour', () => {
    const backoff = createBackoff();
    let refused = 0;
    for (let i = 0; i < 100; i++) if (backoff.attempt(`user${i}`, '10.0.0.1', 0) > 0) refused += 1;
    expect(refused).toBe(70);
    expect(backoff.attempt('user', '10.0.0.1', 2 * 3_600_000)).toBe(0);
    expect(backoff.attempt('user', '10.0.0.1', 2 * 3_600_000)).toBe(0);
  });
});

describe('sessions', () => {
  const user = { name: 'admin', role: 'admin' } as const;
  const minuteMs = 60_000;

  it('end by logout, after half an hour without use, and after twelve hours in any case', () => {
    const ended: unknown[] = [];
    const sessions = createSessions({ ended: (session) => ended.push(session), rememberMs: 0 });
    const secret = sessions.start(user, 0);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(sessions.find(secret, 30 * minuteMs)?.user).toEqual(user);
    expect(sessions.find(secret, 60 * minuteMs)?.user).toEqual(user);
    expect(sessions.find(secret, 90 * minuteMs + 1)).toBeUndefined();
    const busy = sessions.start(user, 0);
    for (let t = 0; t <= 12 * 60; t += 20) expect(sessions.find(busy, t * minuteMs)).toBeDefined();
    expect(sessions.find(busy, 12 * 60 * minuteMs + 1)).toBeUndefined();
    const last = sessions.start(user, 0);
    sessions.end(last);
    expect(sessions.find(last, 0)).toBeUndefined();
    expect(ended).toHaveLength(3);
    expect(sessions.size).toBe(0);
  });
});

describe('tokens', () => {
  const hourMs = 3_600_000;

  it('are seen when another process adds or removes them, until they expire; only hashes are stored', async () => {
    const dir = join(folder, 'tokens');
    const tokens = await openTokens(dir, silentLog());
    expect(await tokens.find('nhip_x', 0)).toBeUndefined();
    const secret = await addToken(dir, { name: 'grafana', scope: 'read', expiresMs: 5000 }, 10);
    expect(await tokens.find(secret, 2000)).toEqual({ name: 'grafana', scope: 'read', createdMs: 10, expiresMs: 5000 });
    expect(await tokens.find(secret, 5000)).toBeUndefined();
    expect(await tokens.find(`${secret.slice(0, -1)}?`, 2000)).toBeUndefined();
    expect(await readFile(join(dir, 'tokens.json'), 'utf8')).not.toContain(secret);
    expect((await stat(join(dir, 'tokens.json'))).mode & 0o777).toBe(0o600);
    const second = await addToken(dir, { name: 'second', scope: 'admin', expiresMs: null }, 10);
    expect(await removeToken(dir, 'grafana')).toBe(true);
    expect(await tokens.find(secret, 4000)).toBeUndefined();
    expect(await tokens.find(second, 4000)).toMatchObject({ scope: 'admin' });
    await tokens.close();
  });

  it('remember the hour of their last use, not that of an older one with the same name', async () => {
    const dir = join(folder, 'uses');
    const secret = await addToken(dir, { name: 'a', scope: 'read', expiresMs: null }, 0);
    await addToken(dir, { name: 'b', scope: 'read', expiresMs: null }, 0);
    const tokens = await openTokens(dir, silentLog());
    await tokens.find(secret, 2.7 * hourMs);
    await tokens.close();
    const lastUses = async () => (await listTokens(dir)).map(({ name, lastUsedMs }) => [name, lastUsedMs]);
    expect(await lastUses()).toEqual([
      ['a', 2 * hourMs],
      ['b', null],
    ]);
    await removeToken(dir, 'a');
    await addToken(dir, { name: 'a', scope: 'read', expiresMs: null }, 9 * hourMs);
    expect(await lastUses()).toEqual([
      ['b', null],
      ['a', null],
    ]);
  });

  it('stay as they were when the file cannot be read any more', async () => {
    const dir = join(folder, 'broken');
    const secret = await addToken(dir, { name: 'a', scope: 'read', expiresMs: null }, 0);
    const tokens = await openTokens(dir, silentLog());
    await writeFile(join(dir, 'tokens.json'), '{', { mode: 0o600 });
    expect(await tokens.find(secret, 5000)).toMatchObject({ name: 'a' });
    await expect(openTokens(dir, silentLog())).rejects.toThrow(ConfigError);
    await expect(addToken(dir, { name: 'b', scope: 'read', expiresMs: null }, 0)).rejects.toThrow(ConfigError);
    await tokens.close();
  });

  it('go up in scopes, each with those before it', () => {
    expect(allows('admin', 'operate')).toBe(true);
    expect(allows('operate', 'admin')).toBe(false);
    expect(allows('read', 'metrics')).toBe(true);
    expect(allows('metrics', 'read')).toBe(false);
  });
});

describe('authenticator', () => {
  it('lets a viewer of the demo in only from this computer, and not through a proxy on it', async () => {
    const users = { check: async () => undefined, isCurrent: async () => true };
    const tokens = { find: async () => undefined };
    const demo = createAuthenticator({ users, tokens, demo: true });
    const plain = createAuthenticator({ users, tokens, demo: false });
    const by = async (auth: typeof demo, address: string, headers = {}) => (await auth.identify({ headers, address }, 0))?.by;
    expect(await by(demo, '127.0.0.1')).toBe('demo');
    expect(await by(demo, '::1')).toBe('demo');
    expect(await by(demo, '::ffff:127.0.0.1')).toBe('demo');
    expect(await by(demo, '192.168.1.5')).toBeUndefined();
    expect(await by(demo, '127.0.0.1', { 'x-forwarded-for': '203.0.113.5' })).toBeUndefined();
    expect(await by(demo, '127.0.0.1', { authorization: 'Bearer nhip_wrong' })).toBeUndefined();
    expect(await by(plain, '127.0.0.1')).toBeUndefined();
  });

  it('logs out, at once and on every way in, who was removed or has another password', async () => {
    const anna = { name: 'anna', role: 'admin' } as const;
    let isThere = true;
    const users = { check: async () => (isThere ? anna : undefined), isCurrent: async () => isThere };
    const auth = createAuthenticator({ users, tokens: { find: async () => undefined }, demo: false });
    const ended: unknown[] = [];
    auth.onSessionEnded((session) => ended.push(session.user.name));
    const from = { address: '10.0.0.1' };
    const secret = (await auth.login('anna', 'right', { ...from, headers: {} }, 0))?.secret;
    const ways = [{ cookie: `nhip_session=${secret}` }, { authorization: `Basic ${Buffer.from('anna:right').toString('base64')}` }];
    const who = () => Promise.all(ways.map((headers) => auth.identify({ ...from, headers }, 1000)));
    const known = await who();
    expect(known.map((identity) => identity?.name)).toEqual(['anna', 'anna']);
    isThere = false;
    expect(await Promise.all(known.map((identity) => identity?.isValid(2000)))).toEqual([false, false]);
    expect(await who()).toEqual([undefined, undefined]);
    expect(ended).toEqual(['anna']);
  });

  it('reads cookies', () => {
    expect(cookieOf('a=1; nhip_session=x=y ;b=2', 'nhip_session')).toBe('x=y');
    expect(cookieOf('xnhip_session=1', 'nhip_session')).toBeUndefined();
    expect(cookieOf(undefined, 'nhip_session')).toBeUndefined();
  });
});
