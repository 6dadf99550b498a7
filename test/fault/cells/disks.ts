import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { appendNoise, flipBits, newestSegment, tear } from '../../harness/damage.ts';
import type { Factory } from '../../harness/factory.ts';
import { nhip } from '../../harness/nhip.ts';
import { until } from '../../harness/until.ts';
import type { Cell, Family } from '../cell.ts';

const outboxOf = ({ data }: Factory): string => join(data.path, 'edge/e1/outbox/log');
const brokerLogOf = ({ data }: Factory): string => join(data.path, 'server/log');

const full: readonly Cell[] = [
  {
    id: 'edge-disk-full',
    fault: 'edge: disk full during an outage of the server',
    expectation: 'what finds no room is counted as outboxFull and reported; what is on disk arrives',
    needs: ['root'],
    factory: { equipment: { disk: { of: 'edge', megabytes: 24 } } },
    counted: ['outboxFull'],
    async run({ equipment, server, served, lasts }) {
      await served(100);
      await server.kill();
      await served(300);
      equipment.disk().fill();
      await served(500);
      equipment.disk().free();
      await lasts(300);
      await server.start();
    },
  },
  {
    id: 'edge-disk-full-online',
    fault: 'edge: disk full while everything else works',
    expectation: 'what finds no room is counted as outboxFull; values flow again when there is room',
    needs: ['root'],
    factory: { equipment: { disk: { of: 'edge', megabytes: 24 } } },
    counted: ['outboxFull'],
    async run({ equipment, edge, served }) {
      await served(100);
      equipment.disk().fill();
      await served(500);
      // The losses of the last 2 s wait for company on their way into the ledger: a kill takes their count along.
      edge.allow(2500);
      await edge.role.crash();
      await served(200);
      equipment.disk().free();
    },
  },
  {
    id: 'log-disk-full',
    fault: 'broker: disk of its log full',
    expectation: 'it acknowledges nothing; edges keep everything; it goes on by itself when there is room',
    needs: ['root'],
    isCore: true,
    factory: { equipment: { disk: { of: 'log', megabytes: 80 } } },
    async run({ equipment, served }) {
      await served(100);
      equipment.disk().fill();
      await served(1000);
      equipment.disk().free();
    },
  },
  {
    id: 'store-disk-full',
    fault: 'history: disk full',
    expectation: 'the log keeps what the store does not take; live values go on; it drains when there is room',
    needs: ['root'],
    factory: { equipment: { disk: { of: 'history', megabytes: 40 } } },
    async run({ equipment, served, live }) {
      await served(100);
      equipment.disk().fill();
      await served(1500);
      await live();
      equipment.disk().free();
    },
  },
  {
    id: 'server-disk-full',
    fault: 'server: whole disk full, then killed and started on the full disk',
    expectation: 'nothing that was acknowledged is lost',
    needs: ['root'],
    factory: { equipment: { disk: { of: 'server', megabytes: 120 } } },
    async run({ equipment, server, served, lasts }) {
      await served(100);
      equipment.disk().fill();
      await served(500);
      server.supervise();
      await server.kill();
      void server.start().catch(() => undefined);
      await lasts(3000);
      equipment.disk().free();
      await until('the server is ready', () => server.isReady, 30_000);
    },
  },
  {
    id: 'edge-read-only',
    fault: 'edge: started on a read-only disk',
    expectation: 'it says so and ends; what is on the disk arrives when it can be written again',
    needs: ['root'],
    factory: { equipment: { disk: { of: 'edge', megabytes: 24 } } },
    async run({ equipment, edge: { role }, server, served }) {
      await served(100);
      await server.kill();
      await served(300);
      await role.kill();
      equipment.disk().lock();
      role.supervise();
      const said = await role.start().then(
        () => 'it started',
        (error: unknown) => String(error),
      );
      if (!/EROFS|read-only/i.test(said)) throw new Error(`the agent on a read-only disk said: ${said}`);
      equipment.disk().unlock();
      await server.start();
      await until('the agent is ready', () => role.isReady, 30_000);
    },
  },
  {
    id: 'server-read-only',
    fault: 'server: started on a read-only disk',
    expectation: 'it says so and ends; nothing is lost when the disk can be written again',
    needs: ['root'],
    factory: { equipment: { disk: { of: 'server', megabytes: 120 } } },
    async run({ equipment, server, served }) {
      await served(100);
      await server.kill();
      equipment.disk().lock();
      server.supervise();
      const said = await server.start().then(
        () => 'it started',
        (error: unknown) => String(error),
      );
      if (!/EROFS|read-only/i.test(said)) throw new Error(`the server on a read-only disk said: ${said}`);
      equipment.disk().unlock();
      await until('the server is ready', () => server.isReady, 30_000);
    },
  },
];

const broken: readonly Cell[] = [
  {
    id: 'edge-log-torn',
    fault: 'edge: torn end of the outbox after a kill, noise behind it',
    expectation: 'the end is cut off, the rest arrives',
    async run(factory) {
      const { edge, server, served, random } = factory;
      await served(100);
      await server.kill();
      await served(300);
      await edge.role.kill();
      tear(newestSegment(outboxOf(factory)), 7);
      appendNoise(newestSegment(outboxOf(factory)), 300, random);
      await edge.role.start();
      await server.start();
    },
  },
  {
    id: 'edge-log-flipped',
    fault: 'edge: flipped bits in the middle of the outbox during an outage',
    expectation: 'the records that were hit are counted as outboxDamaged, those around them arrive',
    counted: ['outboxDamaged'],
    async run(factory) {
      const { edge, server, served } = factory;
      await served(100);
      await server.kill();
      await served(1500);
      await edge.role.kill();
      flipBits(newestSegment(outboxOf(factory)), { from: 0.4, to: 0.8, count: 5 });
      await edge.role.start();
      await server.start();
    },
  },
  {
    id: 'edge-cursor-deleted',
    fault: 'edge: the place in its outbox deleted',
    expectation: 'it sends all again, ingest drops what it has',
    async run(factory) {
      const { edge, served } = factory;
      await served(500);
      await edge.role.kill();
      rmSync(join(outboxOf(factory), 'cursors'));
      await edge.role.start();
    },
  },
  {
    id: 'edge-outbox-deleted',
    fault: 'edge: its whole outbox deleted when nothing was waiting in it',
    expectation: 'a new stream begins, nothing is taken for a repeat',
    async run(factory) {
      const { edge, api, served, lasts, data } = factory;
      await served(200);
      const emptied = edge.breakPlcLink({ kind: 'refuse' }, 12_000);
      await lasts(6000);
      await until('the outbox is empty', async () => (await api.edge(edge.id))?.outboxRecords === 0, 20_000);
      await edge.role.kill();
      rmSync(join(data.path, 'edge/e1/outbox'), { recursive: true });
      await edge.role.start();
      await emptied;
      await served(100);
    },
  },
  {
    id: 'log-torn',
    isComplete: true,
    fault: 'broker: torn end of its log after a kill, noise behind it',
    expectation: 'what is missing is asked for again',
    async run(factory) {
      const { server, served, random } = factory;
      await served(200);
      await server.kill();
      tear(newestSegment(brokerLogOf(factory)), 200);
      appendNoise(newestSegment(brokerLogOf(factory)), 300, random);
      await server.start();
    },
  },
  {
    id: 'log-flipped',
    isComplete: true,
    fault: 'broker: flipped bits in the middle of a log that ingest has not read yet',
    expectation:
      'the gap is asked for again and closed by the edges; values whose birth was hit are kept as dead letters until it is there',
    // Where the bits hit is up to what lies there: data or a birth.
    deadLettered: 'maybe',
    isCore: true,
    async run(factory) {
      const { server, served, shape, data } = factory;
      await served(100);
      await server.kill();
      const broker = nhip(['broker', '--data', data.path, '--mqtt-port', String(shape.mqttPort()), '--json']);
      await broker.ready;
      await served(2500);
      await broker.kill();
      flipBits(newestSegment(brokerLogOf(factory)), { from: 0.5, to: 0.9, count: 5 });
      await server.start();
    },
  },
  {
    id: 'log-cursor-deleted',
    fault: 'broker: the readers’ places in its log deleted',
    expectation: 'ingest goes on at the checkpoint of the store',
    async run(factory) {
      const { server, served } = factory;
      await served(300);
      await server.kill();
      rmSync(join(brokerLogOf(factory), 'cursors'));
      await server.start();
    },
  },
  {
    id: 'log-deleted',
    isComplete: true,
    fault: 'broker: its whole log deleted, with records that ingest had not read',
    expectation: 'edges are asked for what is missing and send it again from their kept tail',
    async run(factory) {
      const { server, served, shape, data } = factory;
      await served(100);
      await server.kill();
      const broker = nhip(['broker', '--data', data.path, '--mqtt-port', String(shape.mqttPort()), '--json']);
      await broker.ready;
      await served(2500);
      await broker.kill();
      rmSync(brokerLogOf(factory), { recursive: true });
      await server.start();
    },
  },
  {
    id: 'edge-sync-fails',
    fault: 'edge: fdatasync fails (EIO), three times',
    expectation: 'the process ends instead of going on; the service manager starts it; nothing acknowledged is lost',
    isCore: true,
    needs: ['program /usr/lib/fiu/fiu_run_preload.so', 'program fiu-ctrl'],
    factory: { equipment: { failing: 'edge' } },
    run: async (factory) => failSyncs(factory, factory.edge.role),
  },
  {
    id: 'server-sync-fails',
    fault: 'server: fdatasync fails (EIO), three times',
    expectation: 'the process ends instead of going on; edges send again what was not acknowledged',
    needs: ['program /usr/lib/fiu/fiu_run_preload.so', 'program fiu-ctrl'],
    factory: { equipment: { failing: 'server' } },
    run: async (factory) => failSyncs(factory, factory.server),
  },
  {
    id: 'edge-writes-fail',
    fault: 'edge: one write in five finds no room (ENOSPC), for 5 s',
    expectation: 'each lost batch is counted as outboxFull',
    needs: ['program /usr/lib/fiu/fiu_run_preload.so', 'program fiu-ctrl'],
    factory: { equipment: { failing: 'edge' } },
    counted: ['outboxFull'],
    async run({ equipment, edge: { role }, served, lasts }) {
      await served(200);
      equipment.failing().fail(role.process.pid, 'pwrite', 0.2);
      await lasts(5000);
      equipment.failing().heal(role.process.pid, 'pwrite');
    },
  },
  {
    id: 'server-writes-fail',
    fault: 'server: one write in five finds no room (ENOSPC), for 5 s',
    expectation: 'what is not written is not acknowledged and sent again',
    needs: ['program /usr/lib/fiu/fiu_run_preload.so', 'program fiu-ctrl'],
    factory: { equipment: { failing: 'server' } },
    async run({ equipment, server, served, lasts }) {
      await served(200);
      server.supervise();
      equipment.failing().fail(server.process.pid, 'pwrite', 0.2);
      await lasts(5000);
      if (server.isReady) equipment.failing().heal(server.process.pid, 'pwrite');
      await until('the server is ready', () => server.isReady, 30_000);
    },
  },
];

/** A server syncs when an edge sends: one that was kicked out soon after it had connected comes back after up to 22 s. */
async function failSyncs({ equipment, served, edge }: Factory, role: Factory['server']): Promise<void> {
  role.supervise();
  for (let i = 0; i < 3; i++) {
    await served(200);
    const { starts } = role;
    const fromMs = Date.now();
    equipment.failing().fail(role.process.pid, 'fdatasync', 1);
    await until(`${role.name} ended and was started again`, () => role.starts > starts && role.isReady, 60_000);
    // What could not be synced is lost with the process; so is what it reads until it has ended.
    if (role === edge.role) edge.excuse(fromMs - 500, Date.now(), 300);
  }
}

export const disks: Family = { name: 'disks', title: 'What is full or broken', cells: [...full, ...broken] };
