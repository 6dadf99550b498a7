import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { expect, it } from 'vitest';
import { itemOf } from '../testing/item.ts';
import { copyOutbox } from './copy-outbox.ts';
import { moved, type OutboxItem } from './item.ts';
import { openOutbox } from './outbox.ts';

it('of an outbox in use is a state that existed, with every document that it names', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = createSimRandom(seed);
    const disk = createSimDisk(random).boot();
    // Small, so that the journal is written anew in between.
    const outbox = await openOutbox({ disk }, 'outbox', { minFileBytes: 2000 });
    const states = [''];
    const note = (): void => void states.push(JSON.stringify(outbox.items()));
    states[0] = JSON.stringify(outbox.items());
    const work = async (): Promise<void> => {
      for (let count = 0; count < 25; count++) {
        const id = `r${count}`;
        await outbox.files.write('bytes', id, Buffer.from(id));
        await outbox.change(() => ({ items: [itemOf({ id, order: outbox.nextOrder() })] }));
        note();
        const found = outbox.items()[Math.floor(random.next() * outbox.items().length)] as OutboxItem;
        if (found.state !== 'held') continue;
        await outbox.change(() => ({ items: [moved(found, 'withdrawn', { atMs: count, by: 'giam-doc' })] }));
        note();
      }
    };
    const target = createSimDisk();
    const copying = async (): Promise<void> => {
      for (let turns = Math.floor(random.next() * 4000); turns > 0; turns--) await Promise.resolve();
      await copyOutbox(disk, target.boot(), 'outbox');
    };
    await Promise.all([work(), copying()]);
    const copy = await openOutbox({ disk: target.boot() }, 'outbox');
    expect(states).toContain(JSON.stringify(copy.items()));
    for (const { id } of copy.items()) expect(Buffer.from((await copy.files.read('bytes', id)) ?? []).toString()).toBe(id);
    await copy.close();
    await outbox.close();
  }
});

it('of an outbox that was never opened is nothing', async () => {
  expect(await copyOutbox(createSimDisk().boot(), createSimDisk().boot(), 'outbox')).toEqual([]);
});
