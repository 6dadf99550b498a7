import type { LinkFault } from '../../harness/chaos-proxy.ts';
import type { Cell, Family } from '../cell.ts';

interface LinkCase {
  readonly name: string;
  readonly words: string;
  readonly fault: LinkFault;
  /** A short fault is as hard as a long one. */
  readonly shortMs?: number;
}

const cases: readonly LinkCase[] = [
  { name: 'refused', words: 'closed, nobody listens', fault: { kind: 'refuse' } },
  { name: 'blackhole', words: 'half-open: bytes vanish both ways', fault: { kind: 'blackhole', way: 'both' } },
  { name: 'blackhole-up', words: 'half-open: what the edge sends vanishes', fault: { kind: 'blackhole', way: 'up' } },
  { name: 'blackhole-down', words: 'half-open: what comes to the edge vanishes', fault: { kind: 'blackhole', way: 'down' } },
  { name: 'delay', words: '200 ms ± 100 ms slow', fault: { kind: 'delay', ms: 200, jitterMs: 100 } },
  { name: 'narrow', words: '64 kbit/s', fault: { kind: 'narrow', bitsPerS: 64_000 } },
  { name: 'slices', words: 'cut into slices of 3 bytes', fault: { kind: 'slices', bytes: 3 } },
  { name: 'cut', words: 'reset in the middle of a packet again and again', fault: { kind: 'cut', everyBytes: 4000 } },
];

const brokerCells = cases.map(
  ({ name, words, fault }): Cell => ({
    id: `broker-link-${name}`,
    fault: `edge ↔ broker: ${words}, 60 s`,
    expectation: 'the outbox holds what could not be delivered; it drains afterwards',
    isCore: name === 'blackhole' || name === 'cut',
    async run({ edge, served }, { outageMs }) {
      await served(100);
      await edge.breakBrokerLink(fault, outageMs);
    },
  }),
);

const plcCells = cases.map(
  ({ name, words, fault }): Cell => ({
    id: `plc-link-${name}`,
    fault: `PLC ↔ edge: ${words}, 60 s`,
    expectation: 'only answers that did not arrive are missing; no value is mangled',
    // The host waits longer and longer before it connects again, up to 30 s.
    maxRecoveryMs: 40_000,
    factory: { plcTimeoutMs: 1000 },
    async run({ edge, served }, { outageMs }) {
      await served(100);
      await edge.breakPlcLink(fault.kind === 'cut' ? { kind: 'cut', everyBytes: 600 } : fault, outageMs);
    },
  }),
);

const more: readonly Cell[] = [
  {
    id: 'broker-link-1s',
    fault: 'edge ↔ broker: closed for 1 s, five times',
    expectation: 'nothing is doubled by sending again',
    isCore: true,
    async run({ edge, served }) {
      for (let i = 0; i < 5; i++) {
        await served(100);
        await edge.breakBrokerLink({ kind: 'refuse' }, 1000);
      }
    },
  },
  {
    id: 'broker-link-resets',
    fault: 'edge ↔ broker: connection reset ten times, as soon as it stands again',
    expectation: 'sessions that overtake each other do not mix up births and data',
    async run({ edge, served, lasts }) {
      await served(100);
      let made = edge.brokerLink.connections();
      for (let i = 0; i < 10; i++) {
        edge.brokerLink.reset();
        for (let waited = 0; waited < 8000 && edge.brokerLink.connections() === made; waited += 20) await lasts(20);
        made = edge.brokerLink.connections();
        await lasts(30 * i);
      }
    },
  },
  {
    id: 'both-links-flap',
    fault: 'edge ↔ PLC and edge ↔ broker: cut at random, 20 times',
    expectation: 'each cut costs at most the answer on its way',
    async run({ edge, random, lasts }) {
      for (let i = 0; i < 20; i++) {
        if (random() < 0.5) await edge.breakBrokerLink({ kind: 'refuse' }, 50 + random() * 300);
        else await edge.breakPlcLink({ kind: 'refuse' }, 50 + random() * 200);
        await lasts(random() * 500);
      }
    },
  },
];

export const links: Family = { name: 'links', title: 'What is cut', cells: [...brokerCells, ...plcCells, ...more] };
