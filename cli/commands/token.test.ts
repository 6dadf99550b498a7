import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parseInput } from '../arguments.ts';
import { readExpiry, token } from './token.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nhip-token-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

/** Runs one command line; resolves with its exit code and what it said as JSON. */
async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly said: unknown }> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const code = await token.run(parseInput(token, [...args, '--data', root, '--json'], {}));
  vi.restoreAllMocks();
  return { code, said: JSON.parse(text) };
}

it('adds a token that is shown once, lists it without its secret, removes it', async () => {
  const { said } = await run('add', 'grafana', '--scope', 'metrics', '--expires', '90d');
  expect(said).toMatchObject({ name: 'grafana', scope: 'metrics', token: expect.stringMatching(/^nhip_[A-Za-z0-9_-]{43}$/) });
  const secret = (said as { token: string }).token;
  const listed = await run('list');
  expect(listed.said).toEqual([
    { name: 'grafana', scope: 'metrics', created: expect.any(String), expires: expect.any(String), lastUsed: null },
  ]);
  expect(JSON.stringify(listed.said)).not.toContain(secret);
  expect(readFileSync(join(root, 'server/tokens.json'), 'utf8')).not.toContain(secret);
  await expect(run('add', 'grafana')).rejects.toMatchObject({ code: 'token.exists' });
  expect(await run('remove', 'grafana')).toEqual({ code: 0, said: { removed: true } });
  expect(await run('remove', 'grafana')).toEqual({ code: 1, said: { removed: false } });
});

it('refuses what is no name, no scope, no time', async () => {
  await expect(run('add', 'a b')).rejects.toThrow(/no name of a token/);
  await expect(run('add', 'x', '--scope', 'root')).rejects.toThrow(/metrics, read, operate, admin/);
  await expect(run('add', 'x', '--expires', 'soon')).rejects.toThrow(/90d/);
  await expect(run('add', 'x', '--expires', '2001-01-01')).rejects.toThrow(/over already/);
  await expect(run('show')).rejects.toThrow(/add, list or remove/);
});

it('ends a token after a year unless told otherwise', () => {
  expect(readExpiry(undefined, 0)).toBe(365 * 86_400_000);
  expect(readExpiry('12h', 5)).toBe(43_200_005);
  expect(readExpiry('never', 0)).toBeNull();
});
