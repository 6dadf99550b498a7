import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPasswords } from './password.ts';
import { openSessionFile } from './session-file.ts';
import { createSessions, maxSessions, type Session, type Sessions } from './sessions.ts';
import { addUser, removeUser, renewPassword } from './user-file.ts';
import { openUsers, type User, type Users } from './users.ts';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 10, 22, 8);
const passwords = createPasswords();

let root: string;
let dir: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nhip-staying-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A server on the same folder: sessions, and one of its users. */
async function start(): Promise<{
  readonly sessions: Sessions;
  readonly users: Users;
  readonly anna: User;
  readonly ended: Session[];
  stop(): Promise<void>;
}> {
  const opened = await openUsers(dir, passwords, { adminPassword: 'long enough for a test', log: silentLog() });
  await opened.keep();
  const file = await openSessionFile(dir, opened.users, silentLog());
  const ended: Session[] = [];
  const sessions = createSessions({
    ended: (session) => ended.push(session),
    rememberMs: 90 * dayMs,
    before: file.before,
    keptChanged: file.changed,
  });
  const anna = await opened.users.check('admin', 'long enough for a test');
  if (anna === undefined) throw new Error('no user');
  return { sessions, users: opened.users, anna, ended, stop: () => file.settled() };
}

beforeEach(async () => {
  dir = await mkdtemp(join(root, 'data-'));
});

describe('a device that stays logged in', () => {
  it('is known after a restart of the server, others are not; only hashes are on the disk', async () => {
    const first = await start();
    const stays = first.sessions.start(first.anna, startMs, true);
    const goes = first.sessions.start(first.anna, startMs);
    await first.stop();
    const path = join(dir, 'sessions.json');
    const text = await readFile(path, 'utf8');
    expect(text).not.toContain(stays);
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    const second = await start();
    expect(second.sessions.find(stays, startMs + dayMs)).toMatchObject({ user: { name: 'admin', role: 'admin' }, startedMs: startMs });
    expect(second.sessions.find(goes, startMs + 1)).toBeUndefined();
  });

  it('goes on as long as it is used, ends without use, and after a year in any case', async () => {
    const { sessions, anna, ended } = await start();
    const idle = sessions.start(anna, startMs, true);
    expect(sessions.find(idle, startMs + 90 * dayMs)).toBeDefined();
    expect(sessions.find(idle, startMs + 180 * dayMs + 1)).toBeUndefined();
    const busy = sessions.start(anna, startMs, true);
    for (let day = 0; day <= 365; day += 30) expect(sessions.find(busy, startMs + day * dayMs), `day ${day}`).toBeDefined();
    expect(sessions.find(busy, startMs + 365 * dayMs + 1)).toBeUndefined();
    expect(ended).toHaveLength(2);
  });

  it('keeps the day of its last use over a restart', async () => {
    const first = await start();
    const secret = first.sessions.start(first.anna, startMs, true);
    first.sessions.find(secret, startMs + 80 * dayMs);
    await first.stop();
    const second = await start();
    expect(second.sessions.find(secret, startMs + 160 * dayMs)).toBeDefined();
  });

  it('is logged out for good by a logout', async () => {
    const first = await start();
    const secret = first.sessions.start(first.anna, startMs, true);
    first.sessions.end(secret);
    await first.stop();
    expect((await start()).sessions.find(secret, startMs)).toBeUndefined();
  });

  it('stays when many log in after it, as long as others have not been used for longer or are over', async () => {
    const { sessions, anna, ended } = await start();
    const tv = sessions.start(anna, startMs, true);
    const idle = sessions.start(anna, startMs);
    const desk = sessions.start(anna, startMs);
    const soonMs = startMs + 20 * 60_000;
    sessions.find(desk, soonMs);
    for (let n = 3; n < maxSessions; n++) sessions.start(anna, soonMs);
    expect(ended).toEqual([]);
    sessions.start(anna, soonMs);
    expect(ended).toHaveLength(1);
    expect([tv, idle, desk].map((secret) => sessions.find(secret, soonMs) !== undefined)).toEqual([true, false, true]);
    // All but those that stay are over by now, and make room at once.
    sessions.start(anna, startMs + dayMs);
    expect(sessions.size).toBe(2);
    for (let n = 0; n < 2 * maxSessions; n++) sessions.start(anna, startMs + dayMs, true);
    expect(sessions.size).toBe(maxSessions);
  });

  it('is logged out with all others of its user, for good', async () => {
    const first = await start();
    const bao = { ...first.anna, name: 'bao' };
    const [lost, here, other] = [first.anna, first.anna, bao].map((user) => first.sessions.start(user, startMs, true));
    first.sessions.endAllOf('admin');
    expect(first.ended).toHaveLength(2);
    expect(first.sessions.find(other ?? '', startMs)).toBeDefined();
    await first.stop();
    const { sessions } = await start();
    expect([lost, here].map((secret) => sessions.find(secret ?? '', startMs))).toEqual([undefined, undefined]);
  });

  it('is logged out by a new password, also while the server was off', async () => {
    const first = await start();
    const secret = first.sessions.start(first.anna, startMs, true);
    await first.stop();
    await renewPassword(dir, 'admin', passwords);
    const { users } = await openUsers(dir, passwords, { adminPassword: undefined, log: silentLog() });
    expect((await openSessionFile(dir, users, silentLog())).before).toEqual([]);
    expect(secret).not.toBe('');
  });

  it('does not come back after a new password because another device was written down in between', async () => {
    const first = await start();
    const stolen = first.sessions.start(first.anna, startMs, true);
    await first.stop();
    const password = await renewPassword(dir, 'admin', passwords);
    const renewed = await first.users.check('admin', password);
    if (renewed === undefined) throw new Error('no user');
    const own = first.sessions.start(renewed, startMs, true);
    await first.stop();

    const { users } = await openUsers(dir, passwords, { adminPassword: undefined, log: silentLog() });
    const { before } = await openSessionFile(dir, users, silentLog());
    const sessions = createSessions({ ended: () => undefined, rememberMs: dayMs, before });
    expect(sessions.find(own, startMs)).toBeDefined();
    expect(sessions.find(stolen, startMs)).toBeUndefined();
  });

  it('is logged out when its user is removed, also when another gets the name', async () => {
    await start();
    const password = await addUser(dir, { name: 'tv', role: 'read' }, passwords);
    const { users } = await openUsers(dir, passwords, { adminPassword: undefined, log: silentLog() });
    const tv = await users.check('tv', password);
    if (tv === undefined) throw new Error('no user');
    const mark = users.markOf(tv) ?? '';
    expect(users.known('tv', mark)).toBe(tv);
    await removeUser(dir, 'tv');
    await addUser(dir, { name: 'tv', role: 'operate' }, passwords);
    const later = await openUsers(dir, passwords, { adminPassword: undefined, log: silentLog() });
    expect(later.users.known('tv', mark)).toBeUndefined();
  });

  it('has to log in again when the file is no longer readable', async () => {
    const first = await start();
    const secret = first.sessions.start(first.anna, startMs, true);
    await first.stop();
    await writeFile(join(dir, 'sessions.json'), '{', { mode: 0o600 });
    const second = await start();
    expect(second.sessions.find(secret, startMs)).toBeUndefined();
    const again = second.sessions.start(second.anna, startMs, true);
    await second.stop();
    expect((await start()).sessions.find(again, startMs)).toBeDefined();
  });
});
