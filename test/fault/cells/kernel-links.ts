import type { Cell, Family } from '../cell.ts';

const needs: Cell['needs'] = ['root', 'program ip', 'program nft', 'program tc'];
const factory: Cell['factory'] = { plcTimeoutMs: 1000, equipment: { ownNetwork: true } };

/** The edge has a network of its own: what is broken hits its links to PLC and broker alike. */
const cells: readonly Cell[] = [
  {
    id: 'cable-unplugged',
    fault: 'edge: network cable unplugged for 60 s (veth down)',
    expectation: 'both links come back by themselves; only polls under way are missing',
    needs,
    factory,
    maxRecoveryMs: 45_000,
    async run({ edge, equipment, served, lasts }, { outageMs }) {
      await served(100);
      const fromMs = Date.now();
      equipment.network().unplug();
      await lasts(outageMs);
      equipment.network().plug();
      edge.excuse(fromMs - 1500, Date.now() + 5000, 200);
    },
  },
  {
    id: 'cable-flaps',
    fault: 'edge: network cable unplugged ten times for 0.3 s',
    expectation: 'TCP sends again, nothing is doubled',
    needs,
    factory,
    async run({ edge, equipment, served, lasts }) {
      const fromMs = Date.now();
      for (let i = 0; i < 10; i++) {
        await served(50);
        equipment.network().unplug();
        await lasts(300);
        equipment.network().plug();
      }
      edge.excuse(fromMs, Date.now() + 2000, 400);
    },
  },
  {
    id: 'packets-lost',
    fault: 'edge: 30 % of all packets lost, both ways, 20 s',
    expectation: 'slow, but nothing is lost or doubled',
    needs,
    factory,
    isCore: true,
    maxRecoveryMs: 45_000,
    async run({ edge, equipment, served, lasts }, { outageMs }) {
      await served(100);
      const fromMs = Date.now();
      equipment.network().lose(30);
      await lasts(Math.min(outageMs, 20_000));
      equipment.network().lose(0);
      edge.excuse(fromMs, Date.now() + 5000, 400);
    },
  },
  {
    id: 'cable-narrow',
    fault: 'edge: 64 kbit/s by the kernel (tbf), 60 s',
    expectation: 'the outbox takes what the link does not carry',
    needs,
    factory,
    async run({ edge, equipment, served, lasts }, { outageMs }) {
      await served(100);
      const fromMs = Date.now();
      equipment.network().narrow(64);
      await lasts(outageMs);
      equipment.network().narrow(undefined);
      edge.excuse(fromMs, Date.now() + 2000, 400);
    },
  },
];

export const kernelLinks: Family = { name: 'kernel-links', title: 'What is cut, by the kernel', cells };
