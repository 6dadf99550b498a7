import type { Cell, Family } from '../cell.ts';

const needs: Cell['needs'] = ['program /usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'];
const hourMs = 3_600_000;
const maxClockErrorMs = hourMs + 6000;
const edgeClock: Cell['factory'] = { equipment: { clock: 'edge' } };
const serverClock: Cell['factory'] = { equipment: { clock: 'server' } };

const cells: readonly Cell[] = [
  {
    id: 'edge-clock-ahead',
    fault: 'edge: clock jumps 1 h ahead and back',
    expectation: 'samples from the future become dead letters, each counted; the others are stored',
    needs,
    factory: edgeClock,
    maxClockErrorMs,
    deadLettered: 'kept',
    async run({ equipment, served, lasts }) {
      await served(200);
      equipment.clock().set(hourMs);
      await served(500);
      equipment.clock().set(0);
      await lasts(500);
    },
  },
  {
    id: 'edge-clock-behind',
    fault: 'edge: clock jumps 1 h back and ahead again',
    expectation: 'all are stored, with the time that the edge gave them; order is by number',
    needs,
    isCore: true,
    factory: edgeClock,
    maxClockErrorMs,
    async run({ equipment, served }) {
      await served(200);
      equipment.clock().set(-hourMs);
      await served(500);
      equipment.clock().set(0);
      await served(200);
    },
  },
  {
    id: 'edge-clock-back-in-outage',
    fault: 'edge: clock jumps 1 h back during an outage of the server, then the edge is killed',
    expectation: 'the backlog arrives in the order of its numbers, nothing is taken for a repeat',
    needs,
    factory: edgeClock,
    maxClockErrorMs,
    async run({ equipment, server, edge, served }) {
      await served(100);
      await server.kill();
      await served(300);
      equipment.clock().set(-hourMs);
      await served(300);
      await edge.role.crash();
      await served(100);
      await server.start();
      equipment.clock().set(0);
    },
  },
  {
    id: 'edge-clock-1970',
    fault: 'edge: no clock at boot (1970), set right while it runs',
    expectation:
      'what was read without a time is held, and stored with its time once the clock is right; nothing that waited is lost or evicted',
    needs,
    factory: edgeClock,
    async run({ equipment, edge, server, served }) {
      await served(100);
      await server.kill();
      await served(200);
      await edge.role.kill();
      equipment.clock().show(60_000);
      await edge.role.start();
      await served(300);
      equipment.clock().set(0);
      await served(100);
      await server.start();
    },
  },
  {
    id: 'server-clock-ahead',
    fault: 'server: clock jumps 1 h ahead and back',
    expectation: 'sample times are the edges’, nothing changes',
    needs,
    factory: serverClock,
    async run({ equipment, served, server }) {
      await served(200);
      equipment.clock().set(hourMs);
      await served(400);
      await server.crash();
      await served(200);
      equipment.clock().set(0);
      await served(200);
    },
  },
  {
    id: 'server-clock-behind',
    fault: 'server: clock jumps 1 h back and ahead again',
    expectation: 'samples that seem to be from the future become dead letters, each counted',
    needs,
    factory: serverClock,
    // A letter about a time in the future names the time of its arrival, by the wrong clock.
    maxClockErrorMs,
    deadLettered: 'kept',
    async run({ equipment, served }) {
      await served(200);
      equipment.clock().set(-hourMs);
      await served(400);
      equipment.clock().set(0);
      await served(200);
    },
  },
];

export const time: Family = { name: 'time', title: 'What is wrong with time', cells };
