import type { Cell, Family } from '../cell.ts';

const kills: readonly Cell[] = [
  {
    id: 'kill-server',
    fault: 'server: kill -9, five times under load',
    expectation: 'edges send again what was not acknowledged; ingest goes on at its checkpoint',
    isCore: true,
    async run({ server, served }) {
      for (let i = 0; i < 5; i++) {
        await served(150);
        await server.crash();
      }
    },
  },
  {
    id: 'kill-server-outage',
    fault: 'server: kill -9, gone for 60 s',
    expectation: 'the edge keeps everything on its disk; the backlog arrives behind the live values',
    async run({ server, served, lasts }, { outageMs }) {
      await served(100);
      await server.kill();
      await lasts(outageMs);
      await server.start();
    },
  },
  {
    id: 'kill-edge',
    fault: 'edge agent: kill -9, five times under load',
    expectation: 'at most the commit window and the poll under way are missing each time',
    isCore: true,
    async run({ edge, served }) {
      for (let i = 0; i < 5; i++) {
        await served(150);
        await edge.role.crash();
      }
    },
  },
  {
    id: 'kill-plc',
    fault: 'PLC: kill -9, three times, gone for 1 s each',
    expectation: 'only the answer on its way is missing; the edge finds the PLC again',
    async run({ plc, served, lasts }) {
      for (let i = 0; i < 3; i++) {
        await served(150);
        await plc.kill();
        await lasts(1000);
        await plc.start();
      }
    },
  },
  {
    id: 'kill-edge-and-server',
    fault: 'edge agent and server: kill -9 of both at once, with a backlog',
    expectation: 'the backlog of the outage survives and arrives',
    isCore: true,
    async run({ edge, server, served }) {
      await served(100);
      await server.kill();
      await served(300);
      await Promise.all([edge.role.kill()]);
      await server.start();
      await edge.role.start();
      await served(100);
      await Promise.all([edge.role.kill(), server.kill()]);
      await Promise.all([edge.role.start(), server.start()]);
    },
  },
  {
    id: 'kill-plc-and-edge',
    fault: 'PLC and edge agent: kill -9 of both at once',
    expectation: 'at most the commit window is missing',
    async run({ plc, edge, served }) {
      await served(150);
      await Promise.all([plc.kill(), edge.role.kill()]);
      await Promise.all([plc.start(), edge.role.start()]);
    },
  },
  {
    id: 'kill-plc-and-server',
    fault: 'PLC and server: kill -9 of both at once',
    expectation: 'only the answer on its way is missing',
    async run({ plc, server, served }) {
      await served(150);
      await Promise.all([plc.kill(), server.kill()]);
      await Promise.all([plc.start(), server.start()]);
    },
  },
  {
    id: 'kill-during-drain',
    fault: 'server and edge agent: kill -9 while the backlog of an outage drains',
    expectation: 'what was acknowledged is not sent twice into the store, what was not is sent again',
    factory: { edge: { outbox: { backlogMessagesPerS: 100 } } },
    async run({ server, edge, served, lasts }) {
      await served(50);
      await server.kill();
      await served(1500);
      await server.start();
      await lasts(1500);
      await server.crash();
      await lasts(1500);
      await edge.role.crash();
      await lasts(1000);
    },
  },
  {
    id: 'restart-loop-server',
    fault: 'server: started and killed ten times in a row, in every phase of its start',
    expectation: 'a start that is cut short damages nothing',
    async run({ server, served, lasts, random }) {
      await served(100);
      for (let i = 0; i < 10; i++) {
        await server.kill();
        void server.start().catch(() => undefined);
        await lasts(50 + random() * 900);
      }
      await server.crash();
    },
  },
  {
    id: 'restart-loop-edge',
    fault: 'edge agent: started and killed ten times in a row, in every phase of its start',
    expectation: 'numbers go on, the stream stays the same',
    async run({ edge: { role }, served, lasts, random }) {
      await served(100);
      for (let i = 0; i < 10; i++) {
        await role.kill();
        void role.start().catch(() => undefined);
        await lasts(50 + random() * 900);
      }
      await role.crash();
    },
  },
  {
    id: 'two-edges-one-dies',
    fault: 'one of two edge agents: kill -9, three times',
    expectation: 'the other edge loses nothing at all',
    factory: { edges: 2 },
    async run({ edge, served }) {
      for (let i = 0; i < 3; i++) {
        await served(200);
        await edge.role.crash();
      }
    },
  },
];

const freezes: readonly Cell[] = [
  {
    id: 'freeze-server',
    fault: 'server: hangs for 30 s (SIGSTOP)',
    expectation: 'edges notice by keep alive, keep their data and send it again',
    isCore: true,
    async run({ server, served }, { freezeMs }) {
      await served(100);
      await server.freeze(freezeMs);
    },
  },
  {
    id: 'freeze-edge',
    fault: 'edge agent: hangs for 30 s (SIGSTOP)',
    expectation: 'the broker takes it for gone; it resumes without doubling anything',
    // What had arrived when it was stopped is stamped when it goes on.
    maxClockErrorMs: 40_000,
    async run({ edge, served }, { freezeMs }) {
      await served(100);
      await edge.role.freeze(freezeMs);
    },
  },
  {
    id: 'freeze-plc',
    fault: 'PLC: hangs for 30 s (SIGSTOP)',
    expectation: 'the edge gives up waiting and asks again',
    factory: { plcTimeoutMs: 1000 },
    async run({ plc, served }, { freezeMs }) {
      await served(100);
      await plc.freeze(freezeMs);
    },
  },
  {
    id: 'freeze-edge-and-server',
    fault: 'edge agent and server: both hang for 30 s, not quite together',
    expectation: 'nothing is doubled by what was in flight',
    maxClockErrorMs: 40_000,
    async run({ edge, server, served, lasts }, { freezeMs }) {
      await served(100);
      await Promise.all([edge.role.freeze(freezeMs), lasts(700).then(() => server.freeze(freezeMs))]);
    },
  },
];

const orders: readonly Cell[] = [
  {
    id: 'start-edge-first',
    fault: 'everything stopped, then started edge first, server last',
    expectation: 'the order of starting does not matter',
    async run({ edge, server, plc, served, lasts }) {
      await served(100);
      await Promise.all([edge.role.stop(), server.stop(), plc.stop()]);
      await edge.role.start();
      await lasts(500);
      await plc.start();
      await served(100);
      await server.start();
    },
  },
  {
    id: 'start-server-first',
    fault: 'everything stopped, then started server first, PLC last',
    expectation: 'the order of starting does not matter',
    async run({ edge, server, plc, served, lasts }) {
      await served(100);
      await Promise.all([edge.role.stop(), server.stop(), plc.stop()]);
      await server.start();
      await edge.role.start();
      await lasts(500);
      await plc.start();
    },
  },
  {
    id: 'orderly-restarts',
    fault: 'server and edge agent stopped and started in turns, orderly',
    expectation: 'an orderly stop loses no more than the poll under way',
    async run({ edge, server, served }) {
      for (let i = 0; i < 3; i++) {
        await served(100);
        await server.stop();
        await served(50);
        await server.start();
        await edge.role.stop();
        await edge.role.start();
      }
    },
  },
];

export const whoDies: Family = { name: 'who-dies', title: 'Who dies or hangs', cells: [...kills, ...freezes, ...orders] };
