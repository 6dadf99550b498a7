import type { EdgeUnit } from '../../harness/factory-edge.ts';
import type { Cell, Family } from '../cell.ts';

/** Records of 50 values, 400 a second: the smallest quota (4 MiB) is used up in seconds. */
const fastAndSmall: Cell['factory'] = {
  units: 1,
  wideUnits: 4,
  registers: 50,
  intervalMs: 10,
  edge: { outbox: { maxBytes: 4_194_304, backlogMessagesPerS: 5000 } },
};

const changed = (id: string, fault: string, change: (units: readonly EdgeUnit[]) => readonly EdgeUnit[]): Cell => ({
  id,
  fault,
  expectation: 'the outbox is kept: what was recorded arrives under its old name',
  async run({ edge, server, served }) {
    await served(100);
    await server.kill();
    await served(300);
    await edge.role.stop();
    edge.configure(change(edge.units()));
    await edge.role.start();
    await served(200);
    await server.start();
  },
});

const cells: readonly Cell[] = [
  changed('device-renamed', 'configuration: a device gets another name while a backlog waits', (units) =>
    units.map((unit, i) => (i === 1 ? { ...unit, device: 'Renamed' } : unit)),
  ),
  changed('device-removed', 'configuration: devices are removed while a backlog of theirs waits', (units) => units.slice(0, 1)),
  changed('metrics-changed', 'configuration: a device loses half of its metrics while a backlog waits', (units) =>
    units.map((unit) => ({ ...unit, registers: Math.ceil(unit.registers / 2) })),
  ),
  {
    id: 'outbox-quota',
    fault: 'edge: outage longer than the quota of its outbox allows',
    expectation: 'the oldest are given up and counted as outboxQuota, by number; the rest arrives',
    isCore: true,
    factory: fastAndSmall,
    isCountedByEdge: true,
    counted: ['outboxQuota'],
    async run({ server, served }) {
      await served(1000);
      await server.kill();
      await served(300_000);
      await server.start();
    },
  },
  {
    id: 'outbox-quota-and-kill',
    fault: 'edge: outage beyond the quota, agent killed twice meanwhile',
    expectation: 'what was given up is counted once, however often the agent was killed',
    factory: fastAndSmall,
    isCountedByEdge: true,
    counted: ['outboxQuota'],
    async run({ server, edge, served }) {
      await served(1000);
      await server.kill();
      await served(200_000);
      await edge.role.crash();
      await served(120_000);
      await edge.role.crash();
      await server.start();
      await served(5000);
      await edge.role.crash();
    },
  },
];

export const configuration: Family = { name: 'configuration', title: 'What is configured', cells };
