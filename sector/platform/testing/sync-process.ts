import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { openEmbedded } from '../database/embedded.ts';

/**
 * Commits one row by a disk that works, says how often it was synced, then one by a disk whose fsync fails. Ends with 3 when the database
 * ends the process; with 0 when it does not notice.
 */
const [, , folder = ''] = process.argv;
const database = await openEmbedded(folder, () => process.exit(3));
await database.query('CREATE TABLE t (a int)');
const real = fs.fsyncSync;
let synced = 0;

function replaceFsync(fsync: (descriptor: number) => void): void {
  fs.fsyncSync = fsync;
  syncBuiltinESMExports();
}

replaceFsync((descriptor) => {
  synced += 1;
  real(descriptor);
});
await database.transaction((queries) => queries.query('INSERT INTO t VALUES (1)'));
process.stdout.write(`${JSON.stringify({ ready: true, synced })}\n`);
replaceFsync(() => {
  throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
});
await database.transaction((queries) => queries.query('INSERT INTO t VALUES (2)'));
process.exit(0);
