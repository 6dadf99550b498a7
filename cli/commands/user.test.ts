import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createPasswords } from '@nhip/live/auth/password';
import { openUsers } from '@nhip/live/auth/users';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parseInput } from '../arguments.ts';
import { user } from './user.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nhip-user-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

async function run(...args: readonly string[]): Promise<Record<string, string>> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await user.run(parseInput(user, [...args, '--data', root, '--json'], {})).finally(() => vi.restoreAllMocks());
  return JSON.parse(text) as Record<string, string>;
}

it('adds people who log in within a running server, renews their passwords, removes them', async () => {
  await expect(run('add', 'lan')).rejects.toThrow(/start the server once/);
  const opened = await openUsers(join(root, 'server'), createPasswords(), { adminPassword: 'một mật khẩu dài', log: silentLog() });
  await opened.keep();
  const { users } = opened;
  const added = await run('add', 'lan', '--role', 'operate');
  expect(added).toEqual({ name: 'lan', role: 'operate', password: expect.stringMatching(/^[a-z2-9-]{23}$/) });
  expect(readFileSync(join(root, 'server/users.json'), 'utf8')).not.toContain(added.password);
  expect(statSync(join(root, 'server/users.json')).mode & 0o777).toBe(0o600);
  const lan = await users.check('lan', added.password ?? '');
  const admin = await users.check('admin', 'một mật khẩu dài');
  if (lan === undefined || admin === undefined) throw new Error('they cannot log in');
  expect([lan, await users.isCurrent(lan, 0)]).toEqual([{ name: 'lan', role: 'operate' }, true]);

  const renewed = await run('password', 'lan');
  expect(await users.check('lan', added.password ?? '')).toBeUndefined();
  expect(await users.check('lan', renewed.password ?? '')).toEqual({ name: 'lan', role: 'operate' });
  expect(await users.isCurrent(lan, 5000)).toBe(false);
  expect(await users.isCurrent(admin, 5000)).toBe(true);
  expect(await run('list')).toEqual([
    { name: 'admin', role: 'admin' },
    { name: 'lan', role: 'operate' },
  ]);
  expect(await run('remove', 'lan')).toEqual({ removed: true });
  expect(await users.check('lan', renewed.password ?? '')).toBeUndefined();
});

it('refuses what cannot be meant, and to leave nobody in charge', async () => {
  await (await openUsers(join(root, 'server'), createPasswords(), { adminPassword: undefined, log: silentLog() })).keep();
  await expect(run('remove', 'admin')).rejects.toThrow(/last admin/);
  await expect(run('remove', 'lan')).rejects.toThrow(/no user lan/);
  await expect(run('add', 'admin')).rejects.toThrow(/already/);
  await expect(run('add', 'a b')).rejects.toThrow(/no login name/);
  await expect(run('add', 'lan', '--role', 'metrics')).rejects.toThrow(/read, operate, admin/);
  await expect(run('show')).rejects.toThrow(/add, list, password or remove/);
});
