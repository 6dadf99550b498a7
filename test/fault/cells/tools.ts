import { join } from 'node:path';
import type { Factory } from '../../harness/factory.ts';
import type { ForeignMetric } from '../../harness/foreign-publisher.ts';
import { runNhip } from '../../harness/nhip.ts';
import { until } from '../../harness/until.ts';
import type { Cell, Family } from '../cell.ts';

const hourMs = 3_600_000;

async function command(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runNhip(args);
  if (code !== 0) throw new Error(`nhip ${args.join(' ')} ended with ${code}: ${stderr.slice(-800)}`);
}

function places({ data }: Factory): readonly string[] {
  return ['--data', data.path, '--config', join(data.path, 'server.yaml')];
}

const cells: readonly Cell[] = [
  {
    id: 'backup-restored',
    isComplete: true,
    fault: 'a backup of the running server is restored an hour of work later',
    expectation: 'the tail of the log is replayed by itself, nothing is doubled',
    needs: ['nhip backup', 'nhip restore'],
    isCore: true,
    async run(factory) {
      const { server, served, data } = factory;
      const file = join(data.path, 'backup.tar');
      await served(300);
      await command('backup', file, ...places(factory), '--json');
      await served(800);
      await server.kill();
      await command('restore', file, ...places(factory), '--json');
      await server.start();
    },
  },
  {
    id: 'backup-restored-elsewhere',
    isComplete: true,
    fault: 'a backup is restored onto an empty disk: log, history and all are gone',
    expectation: 'edges send again what came since the backup',
    needs: ['nhip backup', 'nhip restore', 'root'],
    factory: { equipment: { disk: { of: 'server', megabytes: 120 } } },
    async run(factory) {
      const { server, served, data, equipment } = factory;
      const file = join(data.path, 'backup.tar');
      await served(300);
      await command('backup', file, ...places(factory), '--json');
      await served(800);
      await server.kill();
      equipment.disk().empty();
      await command('restore', file, ...places(factory), '--accounts', '--json');
      await server.start();
    },
  },
  {
    id: 'letters-replayed',
    fault: 'an edge sends data before its birth; its dead letters are replayed afterwards',
    expectation: 'the values are stored, each once, and no longer counted as dead letters',
    deadLettered: 'replayed',
    async run(factory) {
      const foreign = await factory.foreign('g/x');
      const value = (n: number): ForeignMetric => ({ alias: 1, type: 'Int32', value: foreign.serve('D1', 'A', n), timestamp: Date.now() });
      for (let n = 0; n < 10; n++) await foreign.send('DDATA', 'D1', n, [value(n)]);
      await until('the edge is asked for its births', () => foreign.commands() > 0);
      await foreign.send('NBIRTH', '', 0, [{ name: 'bdSeq', type: 'Int64', value: 0 }]);
      await foreign.send('DBIRTH', 'D1', 1, [{ ...value(10), name: 'A' }]);
      await until('the birth is stored', async () => (await factory.api.value('g/x/D1', 'A')) === 10);
      await command('dlq', 'replay', '--reason', 'beforeBirth', '--data', factory.data.path, '--json');
    },
  },
  {
    id: 'letters-replayed-after-clock',
    fault: 'server: clock 1 h back for a while; the dead letters are replayed when it is right again',
    expectation: 'the values are stored, each once, and no longer counted as dead letters',
    needs: ['program /usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'],
    factory: { equipment: { clock: 'server' } },
    maxClockErrorMs: hourMs + 6000,
    deadLettered: 'replayed',
    async run({ equipment, served, data, live }) {
      await served(200);
      equipment.clock().set(-hourMs);
      await served(300);
      equipment.clock().set(0);
      await served(200);
      await live();
      await command('dlq', 'replay', '--reason', 'timestampOutOfRange', '--force', '--data', data.path, '--json');
    },
  },
];

export const tools: Family = { name: 'tools', title: 'What operators do', cells };
