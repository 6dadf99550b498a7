import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startProcess } from '../../../test/harness/nhip.ts';
import { makeTestCluster } from '../testing/test-database.ts';
import { openEmbedded } from './embedded.ts';

const script = join(import.meta.dirname, '../testing/sync-process.ts');

it('a commit of the embedded database waits for fsync; one that fails ends the process, and what was committed is there', {
  timeout: 60_000,
}, async () => {
  const folder = await makeTestCluster();
  const child = startProcess([process.execPath, '--import', 'tsx', script, folder]);
  expect((await child.ready).synced).toBeGreaterThan(0);
  expect((await child.ended).code).toBe(3);
  const database = await openEmbedded(folder, () => process.exit(1));
  expect(await database.query('SELECT a FROM t WHERE a = 1')).toEqual([{ a: 1 }]);
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});
