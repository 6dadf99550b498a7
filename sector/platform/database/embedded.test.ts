import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { makeTestCluster } from '../testing/test-database.ts';
import { openEmbedded } from './embedded.ts';

const neverEnds = (error: Error): never => {
  throw error;
};

it('belongs to one at a time: refuses a second one while it is open, and opens again with its data after close', async () => {
  const folder = await makeTestCluster();
  const first = await openEmbedded(folder, neverEnds);
  await first.query('create table kept (value int)');
  await first.query('insert into kept values (1)');
  await expect(openEmbedded(folder, neverEnds)).rejects.toMatchObject({ code: 'process.folderInUse' });
  await first.close();

  const second = await openEmbedded(folder, neverEnds);
  expect(await second.query('select value from kept')).toEqual([{ value: 1 }]);
  await second.close();
  rmSync(folder, { recursive: true });
});
