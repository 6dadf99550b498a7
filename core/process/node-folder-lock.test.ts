import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, renameSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FolderLock, lockFolder } from './node-folder-lock.ts';

let folder: string;
let held: FolderLock[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-lock-'));
});
afterEach(async () => {
  for (const lock of held) await lock.release();
  held = [];
  rmSync(folder, { recursive: true });
});

async function hold(path: string): Promise<FolderLock> {
  const lock = await lockFolder(path);
  held.push(lock);
  return lock;
}

describe('lockFolder', () => {
  it('refuses a second holder of the same folder, under any name, and leaves others alone', async () => {
    const other = mkdtempSync(join(folder, 'other-'));
    const link = join(folder, 'link');
    symlinkSync(folder, link);
    await hold(folder);
    await expect(lockFolder(folder)).rejects.toThrow(`${folder} is in use by another process of Nhịp`);
    await expect(lockFolder(link)).rejects.toMatchObject({ code: 'process.folderInUse' });
    await hold(other);
  });

  it('can be held again after it was released, and is released once', async () => {
    const first = await lockFolder(folder);
    await first.release();
    // Gets the number of the handle that was given back.
    const handle = openSync(folder, 'r');
    await hold(folder);
    await first.release();
    expect(fstatSync(handle).isDirectory()).toBe(true);
    closeSync(handle);
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'process.folderInUse' });
  });

  it('of a removed folder does not stand in the way of new ones: they may get the number of the old one', async () => {
    const removed = join(folder, 'removed');
    mkdirSync(removed);
    await hold(removed);
    rmdirSync(removed);
    for (let index = 0; index < 20; index++) {
      const made = join(folder, `made-${index}`);
      mkdirSync(made);
      await hold(made);
    }
  });

  it('is that of the folder which has the name in the end, when it is replaced meanwhile', async () => {
    const [place, aside] = [join(folder, 'place'), join(folder, 'aside')];
    mkdirSync(place);
    const holding = hold(place);
    renameSync(place, aside);
    mkdirSync(place);
    await holding;
    await expect(lockFolder(place)).rejects.toMatchObject({ code: 'process.folderInUse' });
    await hold(aside);
  });

  it('is given back when the folder is removed meanwhile', async () => {
    const [place, aside] = [join(folder, 'place'), join(folder, 'aside')];
    mkdirSync(place);
    const holding = hold(place);
    renameSync(place, aside);
    await expect(holding).rejects.toMatchObject({ code: 'ENOENT' });
    await hold(aside);
  });
});
