import { describe, expect, it } from 'vitest';
import type { Disk } from '../env.ts';
import { createSimDisk, type SimDisk } from './sim-disk.ts';
import { createSimRandom } from './sim-random.ts';

async function written(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'create');
  await file.write(Buffer.from(text), 0);
  await file.sync();
  await disk.syncDir('.');
}

async function contents(sim: SimDisk, path: string): Promise<string> {
  const disk = sim.boot();
  const file = await disk.open(path, 'read');
  const buffer = Buffer.alloc(await file.size());
  await file.read(buffer, 0);
  return buffer.toString();
}

/** What the file holds after a power cut, over many seeds. */
async function outcomes(change: (disk: Disk) => Promise<void>): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const sim = createSimDisk();
    const disk = sim.boot();
    await written(disk, 'x', 'old');
    await change(disk);
    sim.crash(createSimRandom(seed));
    found.add(sim.files().includes('x') ? await contents(sim, 'x') : 'no file');
  }
  return found;
}

describe('the simulated disk', () => {
  it('loses or keeps what was not synced, and never what was', async () => {
    const found = await outcomes(async (disk) => (await disk.open('x', 'write')).write(Buffer.from('new'), 0));
    expect(found).toEqual(new Set(['old', 'new']));
    const afterSync = await outcomes(async (disk) => {
      const file = await disk.open('x', 'write');
      await file.write(Buffer.from('new'), 0);
      await file.sync();
    });
    expect(afterSync).toEqual(new Set(['new']));
  });

  it('tears a write between sectors', async () => {
    const [a, b] = ['a'.repeat(509), 'b'.repeat(512)];
    const found = await outcomes(async (disk) => (await disk.open('x', 'write')).write(Buffer.from(a + b), 3));
    expect(found).toContain(`old${a}`);
    expect(found).toContain(`old${'\0'.repeat(509)}${b}`);
    expect(found).toContain(`old${a}${b}`);
    expect(found).toContain('old');
  });

  it('undoes or keeps renames and unlinks of a folder that was not synced', async () => {
    expect(await outcomes((disk) => disk.unlink('x'))).toEqual(new Set(['old', 'no file']));
    const renamed = await outcomes(async (disk) => {
      const file = await disk.open('y', 'create');
      await file.write(Buffer.from('new'), 0);
      await file.sync();
      await disk.rename('y', 'x');
    });
    expect(renamed).toEqual(new Set(['old', 'new']));
  });

  it('shows unsynced changes after a killed process', async () => {
    const sim = createSimDisk();
    await (await sim.boot().open('x', 'create')).write(Buffer.from('kept'), 0);
    expect(await contents(sim, 'x')).toBe('kept');
  });

  it('loses the data of a failed sync although the next one succeeds', async () => {
    const sim = createSimDisk();
    const disk = sim.boot();
    await written(disk, 'x', 'old');
    const file = await disk.open('x', 'write');
    await file.write(Buffer.from('new'), 0);
    sim.failNextSync();
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await file.sync();
    const buffer = Buffer.alloc(3);
    await file.read(buffer, 0);
    expect(buffer.toString()).toBe('new');
    sim.crash(createSimRandom(1));
    expect(await contents(sim, 'x')).toBe('old');
  });

  it('runs full after a part was written, and works again with room', async () => {
    const sim = createSimDisk();
    const file = await sim.boot().open('x', 'create');
    sim.setCapacity(4);
    await expect(file.write(Buffer.from('too much'), 0)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await file.size()).toBe(4);
    await file.write(Buffer.from('over'), 0);
    sim.setCapacity(100);
    await file.write(Buffer.from('too much'), 0);
    expect(Buffer.from(sim.content('x')).toString()).toBe('too much');
  });

  it('spares what it was told to fail', async () => {
    const sim = createSimDisk();
    const disk = sim.boot();
    sim.failNextSync();
    void sim.crashAfter(3, createSimRandom(1));
    sim.spare();
    await written(disk, 'x', 'old');
    expect(await contents(sim, 'x')).toBe('old');
  });

  it('forgets a folder for good', async () => {
    const sim = createSimDisk();
    const disk = sim.boot();
    await disk.makeDir('a/b');
    await disk.makeDir('ab');
    for (const path of ['a/x', 'a/b/y', 'ab/z']) {
      await written(disk, path, 'old');
      await disk.syncDir('ab');
    }
    sim.wipe('a');
    sim.crash(createSimRandom(1));
    expect(sim.files()).toEqual(['ab/z']);
    expect(await contents(sim, 'ab/z')).toBe('old');
  });

  it('cuts the power at the planned operation; nothing of the old process settles after that', async () => {
    const sim = createSimDisk();
    const disk = sim.boot();
    const crashed = sim.crashAfter(2, createSimRandom(3));
    const file = await disk.open('x', 'create');
    let settled = false;
    const hanging = file.write(Buffer.from('x'), 0).finally(() => {
      settled = true;
    });
    await Promise.race([crashed, hanging]);
    const reading = disk.readDir('.').finally(() => {
      settled = true;
    });
    await Promise.race([reading, new Promise((resolve) => setImmediate(resolve))]);
    expect(settled).toBe(false);
  });
});
