import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { expect, it } from 'vitest';
import { itemOf } from '../testing/item.ts';
import { dayMs, startMs } from '../testing/test-gateway.ts';
import { openOutbox } from './outbox.ts';

const later = startMs + 100 * dayMs;

async function filled() {
  const sim = createSimDisk();
  const outbox = await openOutbox({ disk: sim.boot() }, 'outbox');
  const items = [
    itemOf({ id: 'old', state: 'accepted' }),
    itemOf({ id: 'waits', order: 2, seriesKey: 'waits', state: 'held' }),
    itemOf({ id: 'base', order: 3, seriesKey: 'follows', state: 'accepted' }),
    itemOf({ id: 'next', order: 4, seriesKey: 'follows', state: 'held', revision: 2 }),
    itemOf({ id: 'young', order: 5, seriesKey: 'young', state: 'accepted', toMs: later + dayMs }),
  ];
  for (const { id } of items)
    for (const shelf of ['bytes', 'source', 'receipts'] as const) await outbox.files.write(shelf, id, Buffer.from(id));
  await outbox.change(() => ({ items, entries: [['cursor/x/P1D', 7]] }));
  return { sim, outbox };
}

it('removes what is old and done with its documents; keeps what waits, what a waiting revision follows, and how far it had come', async () => {
  const { sim, outbox } = await filled();
  expect(await outbox.prune(later)).toBe(1);
  expect(outbox.items().map(({ id }) => id)).toEqual(['waits', 'base', 'next', 'young']);
  expect(outbox.series('sector-platform', 'follows').map(({ id }) => id)).toEqual(['base', 'next']);
  expect(sim.files().filter((path) => path.includes('/old.'))).toEqual([]);
  expect(sim.files().filter((path) => path.includes('/base.'))).toHaveLength(3);
  expect(await outbox.prune(later)).toBe(0);
  await outbox.close();
  const again = await openOutbox({ disk: sim.boot() }, 'outbox');
  expect(again.items().map(({ id }) => id)).toEqual(['waits', 'base', 'next', 'young']);
  expect(again.journal.get('cursor/x/P1D')).toBe(7);
});

it('cut off by a power cut leaves an item with its documents, or neither', async () => {
  for (let operations = 1; operations < 14; operations++) {
    const { sim, outbox } = await filled();
    const died = sim.crashAfter(operations, createSimRandom(operations));
    await Promise.race([outbox.prune(later), died]);
    sim.spare();
    const again = await openOutbox({ disk: sim.boot() }, 'outbox');
    const isThere = again.find('old') !== undefined;
    expect(sim.files().filter((path) => path.includes('/old.'))).toHaveLength(isThere ? 3 : 0);
    expect(again.items()).toHaveLength(isThere ? 5 : 4);
  }
});
