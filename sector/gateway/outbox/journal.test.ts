import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { describe, expect, it } from 'vitest';
import { openJournal } from './journal.ts';

const folder = 'outbox';
const small = { minFileBytes: 600 };

describe('the journal', () => {
  it('has after a restart what was committed, and not what was deleted', async () => {
    const disk = createSimDisk();
    const journal = await openJournal(disk.boot(), folder);
    await journal.commit([
      ['a', 1],
      ['b', { text: 'Đã gửi' }],
    ]);
    await journal.commit([
      ['a', undefined],
      ['c', 3],
    ]);
    const again = await openJournal(disk.boot(), folder);
    expect(again.entries('')).toEqual([
      ['b', { text: 'Đã gửi' }],
      ['c', 3],
    ]);
  });

  it('keeps its file small while the same keys change', async () => {
    const disk = createSimDisk();
    const journal = await openJournal(disk.boot(), folder, small);
    for (let i = 0; i < 500; i++) await journal.commit([[`key-${i % 3}`, i]]);
    const files = disk.files().filter((path) => path.startsWith(folder));
    expect(files).toHaveLength(1);
    expect(disk.content(files[0] ?? '').length).toBeLessThan(2000);
    expect((await openJournal(disk.boot(), folder)).entries('').map(([, value]) => value)).toEqual([498, 499, 497]);
  });

  it('is after a power cut at any operation a row of whole commits, with all that resolved', async () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = createSimRandom(seed);
      const disk = createSimDisk();
      let resolved = -1;
      // Each commit writes the same number under two keys: a half of one would show.
      for (let life = 0; life < 3; life++) {
        const journal = await openJournal(disk.boot(), folder, small);
        const found = Number(journal.get('left') ?? -1);
        expect(journal.get('right') ?? -1).toBe(found);
        expect(found).toBeGreaterThanOrEqual(resolved);
        const cut = disk.crashAfter(1 + Math.floor(random.next() * 60), random);
        const commits = (async () => {
          for (let i = found + 1; ; i++) {
            await journal.commit([
              ['left', i],
              ['right', i],
            ]);
            resolved = i;
          }
        })();
        await Promise.race([cut, commits]);
      }
    }
  });

  it('goes on in a new file after a write or a sync failed', async () => {
    const disk = createSimDisk();
    const journal = await openJournal(disk.boot(), folder);
    await journal.commit([['a', 1]]);
    disk.failNextSync();
    await expect(journal.commit([['a', 2]])).rejects.toThrow('EIO');
    expect(journal.get('a')).toBe(1);
    disk.setCapacity(10);
    await expect(journal.commit([['b', 1]])).rejects.toThrow('ENOSPC');
    disk.setCapacity(1_000_000);
    await journal.commit([['c', 1]]);
    expect((await openJournal(disk.boot(), folder)).entries('')).toEqual([
      ['a', 1],
      ['c', 1],
    ]);
  });

  it('refuses a file that is damaged in the middle', async () => {
    const disk = createSimDisk();
    const journal = await openJournal(disk.boot(), folder);
    await journal.commit([['a', 1]]);
    await journal.commit([['b', 'a long line that a bit flips in, which is not the last one of the file']]);
    const size = disk.content('outbox/journal-00000001.ndjson').length;
    await journal.commit([['c', 1]]);
    disk.flipBit('outbox/journal-00000001.ndjson', { next: () => 0.01, bytes: () => new Uint8Array() }, size - 30);
    await expect(openJournal(disk.boot(), folder)).rejects.toThrow('damaged');
  });
});
