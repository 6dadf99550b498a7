import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Factory } from '../../harness/factory.ts';
import type { Cell, Family } from '../cell.ts';

/** Copies the database file of a server that does not run. */
function copyHistory({ equipment: { historyFile } }: Factory): void {
  copyFileSync(historyFile, `${historyFile}.backup`);
}

function restoreHistory({ equipment: { historyFile } }: Factory): void {
  rmSync(`${historyFile}.wal`, { force: true });
  copyFileSync(`${historyFile}.backup`, historyFile);
}

const cells: readonly Cell[] = [
  {
    id: 'store-restored',
    isComplete: true,
    fault: 'history: an older copy of the database is put back',
    expectation: 'the tail of the log is replayed by itself, nothing is doubled',
    isCore: true,
    async run(factory) {
      const { server, served } = factory;
      await served(200);
      await server.stop();
      copyHistory(factory);
      await server.start();
      await served(800);
      await server.kill();
      restoreHistory(factory);
      await server.start();
    },
  },
  {
    id: 'store-restored-without-log',
    isComplete: true,
    fault: 'history: an older copy of the database is put back, and the broker’s log is gone',
    expectation: 'edges send the rest again from what they keep',
    async run(factory) {
      const { server, served, data } = factory;
      await served(200);
      await server.stop();
      copyHistory(factory);
      await server.start();
      await served(800);
      await server.kill();
      restoreHistory(factory);
      rmSync(join(data.path, 'server/log'), { recursive: true });
      await server.start();
    },
  },
  {
    id: 'store-deleted',
    isComplete: true,
    fault: 'history: the database is deleted',
    expectation: 'what the log still holds is stored again, each once',
    async run({ server, served, equipment: { historyFile } }) {
      await served(500);
      await server.kill();
      for (const file of [historyFile, `${historyFile}.wal`]) if (existsSync(file)) rmSync(file);
      await server.start();
    },
  },
];

export const store: Family = { name: 'store', title: 'What the store does', cells };
