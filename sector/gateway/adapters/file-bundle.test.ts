import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { expect, it } from 'vitest';
import { adapterSuite, parcelOf } from '../testing/adapter-suite.ts';
import { createFileBundle } from './file-bundle.ts';

const alive = new AbortController().signal;

adapterSuite('file-bundle', async () => {
  const sim = createSimDisk();
  return {
    adapter: createFileBundle(sim.boot()),
    arrived: async () =>
      sim
        .files()
        .filter((path) => /^outbox\/[0-9a-f]{64}\.json$/.test(path))
        .map((path) => sim.content(path)),
    close: async () => undefined,
  };
});

it('lists what is there, and takes away what has its receipt', async () => {
  const sim = createSimDisk();
  const adapter = createFileBundle(sim.boot());
  const parcels = [parcelOf('{"a":1}'), parcelOf('{"a":2}')];
  for (const parcel of parcels) await adapter.send(parcel, alive);
  const index = (): string => Buffer.from(sim.content('outbox/index.json')).toString('utf8');
  expect(JSON.parse(index()).reports).toMatchObject([{ digest: parcels[0]?.digest }, { digest: parcels[1]?.digest }]);

  const disk = sim.boot();
  await disk.makeDir('inbox');
  const file = await disk.open('inbox/r.json', 'create');
  await file.write(Buffer.from(JSON.stringify({ digest: parcels[0]?.digest })), 0);
  const again = createFileBundle(disk);
  const [receipt] = (await again.receipts?.(alive)) ?? [];
  await receipt?.taken(true);
  expect(await again.receipts?.(alive)).toEqual([]);
  expect(JSON.parse(index()).reports).toMatchObject([{ digest: parcels[1]?.digest }]);
  expect(sim.files().filter((path) => path.startsWith('inbox/'))).toEqual(['inbox/taken/r.json']);
});
