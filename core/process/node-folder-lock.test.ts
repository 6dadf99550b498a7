import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from './node-folder-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('lockFolder', () => {
  it('refuses a second holder of the same folder, under any name, and leaves others alone', async () => {
    const other = mkdtempSync(join(folder, 'other-'));
    const link = join(folder, 'link');
    symlinkSync(folder, link);
    await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(`${folder} is in use by another process of Nhịp`);
    await expect(lockFolder(link)).rejects.toMatchObject({ code: 'process.folderInUse' });
    await lockFolder(other);
  });
});
