import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { apiFolder } from './folders.ts';

it('finds the role that answers the API, and asks when two did', () => {
  const root = mkdtempSync(join(tmpdir(), 'nhip-folders-'));
  const folder = { server: join(root, 'server'), live: join(root, 'live') };
  expect(apiFolder(undefined, folder)).toBe(folder.server);
  expect(apiFolder('live', folder)).toBe(folder.live);
  mkdirSync(folder.live);
  writeFileSync(join(folder.live, 'users.json'), '');
  expect(apiFolder(undefined, folder)).toBe(folder.live);
  mkdirSync(folder.server);
  writeFileSync(join(folder.server, 'users.json'), '');
  expect(() => apiFolder(undefined, folder)).toThrow(/--of server or --of live/);
  expect(() => apiFolder('ingest', folder)).toThrow(/neither/);
  rmSync(root, { recursive: true });
});
