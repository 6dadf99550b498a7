import { createServer, type Socket } from 'node:net';
import type { Clock, Disk } from '@nhip/core/process/env';
import { type Log, silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { encodeResend, type ResendRequest } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../testing/wait-for.ts';
import { createDeviceTable } from './device-table.ts';
import { createMqttConnect } from './mqtt-connection.ts';
import { createSession, type Session } from './session.ts';
import type { SessionLink } from './session-link.ts';
import { metricValue, type RecordingBroker, startRecordingBroker } from './testing/recording-broker.ts';

const speed = 50;

/** Time that runs faster, so that back-off and quiet times are short; MQTT.js keeps its own. */
function fastClock(): Clock {
  const clock = createNodeClock();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() * speed,
    after: (delayMs, run) => clock.after(delayMs / speed, run),
    sleep: (delayMs, signal) => clock.sleep(delayMs / speed, signal),
  };
}

let broker: RecordingBroker;
const sessions: Session[] = [];

beforeEach(async () => {
  broker = await startRecordingBroker();
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.stop()));
  await broker.close();
});

function start(options: { url?: string; disk?: Disk; connectTimeoutMs?: number; clock?: Clock; log?: Log } = {}) {
  const devices = createDeviceTable();
  devices.add({ id: 'on', intervalMs: 0, displayName: 'Press' }, [{ name: 'N', dataType: 'Int32', unit: 'mm' }]);
  devices.add({ id: 'off', intervalMs: 0 }, [{ name: 'N', dataType: 'Double' }]);
  const on = devices.get('on');
  if (on !== undefined) on.isOnline = true;
  const links: SessionLink[] = [];
  const resends: ResendRequest[] = [];
  const session = createSession(
    { group: 'g', edge: 'e', maxPayloadBytes: 20_000 },
    {
      clock: options.clock ?? fastClock(),
      random: createSimRandom(1),
      disk: options.disk ?? createSimDisk().boot(),
      log: options.log ?? silentLog(),
      devices,
      connect: createMqttConnect({
        url: options.url ?? broker.url,
        clientId: 'g/e',
        username: 'g/e',
        password: 'x',
        ca: undefined,
        keepaliveS: 10,
        connectTimeoutMs: options.connectTimeoutMs ?? 5000,
      }),
      onResend: (request) => resends.push(request),
      nodeMetrics: async () => [{ name: 'Outbox/Records', timestampMs: 1, dataType: dataType.UInt64, value: 0 }],
      onSession: (link) => {
        links.push(link);
        return new Promise((resolve) => link.signal.addEventListener('abort', () => resolve()));
      },
    },
  );
  sessions.push(session);
  session.start();
  return { session, devices, links, resends };
}

const rebirthCommand = encodePayload({
  timestampMs: 1,
  metrics: [{ name: 'Node Control/Rebirth', dataType: dataType.Boolean, value: true }],
});

function connects() {
  return broker.seen.flatMap((item) => (item.kind === 'connect' ? [item] : []));
}

describe('the Sparkplug session', () => {
  it('tck-id-message-flow-edge-node-birth-publish-will-message: clean session, will is an NDEATH with QoS 1 and only bdSeq', async () => {
    start();
    await waitFor('a connection', () => connects().length > 0);
    const [{ clean, will } = {}] = connects();
    expect(clean).toBe(true);
    expect(will).toMatchObject({ topic: 'spBv1.0/g/NDEATH/e', qos: 1, retain: false });
    expect(will?.payload.seq).toBeUndefined();
    expect(will?.payload.metrics).toMatchObject([{ name: 'bdSeq', dataType: dataType.Int64, value: 0 }]);
    expect(will?.payload.metrics).toHaveLength(1);
  });

  it('tck-id-message-flow-edge-node-ncmd-subscribe, tck-id-topics-nbirth: subscribes, then NBIRTH, then all DBIRTHs', async () => {
    start();
    await waitFor('the births', () => broker.published('DDEATH').length === 1);
    const order = broker.seen.map((item) => (item.kind === 'publish' ? `${item.type} ${item.device}`.trim() : item.kind));
    expect(order).toEqual(['connect', 'subscribe', 'NBIRTH', 'DBIRTH on', 'DBIRTH off', 'DDEATH off']);
    expect(broker.seen[1]).toEqual({ kind: 'subscribe', topics: ['spBv1.0/g/NCMD/e 1'] });
    const births = broker.published();
    expect(births.map(({ payload }) => payload.seq)).toEqual([0, 1, 2, 3]);
    expect(births.every(({ qos, retain }) => qos === 0 && !retain)).toBe(true);
    const [nbirth, on] = births;
    expect(metricValue(nbirth?.payload, 'bdSeq')).toBe(metricValue(connects()[0]?.will?.payload, 'bdSeq'));
    const rebirth = nbirth?.payload.metrics.find(({ name }) => name === 'Node Control/Rebirth');
    expect(rebirth).toMatchObject({ dataType: dataType.Boolean, value: false, alias: undefined });
    expect(on?.payload.metrics.map(({ name, value }) => [name, value])).toEqual([
      ['Outbox/Identity', null],
      ['Properties/DisplayName', 'Press'],
      ['N', null],
    ]);
    expect(on?.payload.metrics[2]?.properties?.engUnit?.value).toBe('mm');
    expect(births.every(({ payload }) => payload.timestampMs !== undefined)).toBe(true);
    const aliases = births.flatMap(({ payload }) => payload.metrics.flatMap(({ alias }) => alias ?? []));
    expect(new Set(aliases).size).toBe(aliases.length);
  });

  it('tck-id-payloads-sequence-num-incrementing: one sequence over births, deaths and data, 255 is followed by 0', async () => {
    const { session, links } = start();
    await waitFor('a session', () => links.length === 1);
    const data = (seq: number) => encodePayload({ timestampMs: 1, seq, metrics: [] });
    for (let i = 0; i < 300; i++) {
      void links[0]?.publish('on', data);
      if (i % 50 === 0) session.deviceChanged('on', i % 100 === 0);
    }
    await waitFor('all messages', () => broker.published('DDATA').length === 300 && broker.published('NDATA').length > 0);
    const seqs = broker.published().map(({ payload }) => payload.seq);
    expect(seqs).toEqual(seqs.map((_, i) => i % 256));
    expect(broker.published('DDATA').every(({ qos, retain }) => qos === 1 && !retain)).toBe(true);
  });

  it('tck-id-operational-behavior-data-commands-rebirth-action: all births again with the same bdSeq; a second one soon after waits', async () => {
    const { session, links } = start();
    await waitFor('a session', () => links.length === 1 && broker.published('DDEATH').length === 1);
    broker.command(Uint8Array.of(0xff));
    broker.command(encodePayload({ metrics: [{ name: 'Node Control/Reboot', dataType: dataType.Boolean, value: true }] }));
    for (let i = 0; i < 3; i++) broker.command(rebirthCommand);
    await waitFor('two rebirths', () => broker.published('NBIRTH').length === 3);
    expect(session.health()).toEqual({ isOnline: true, connects: 1, rebirths: 2 });
    for (const { payload } of broker.published('NBIRTH')) expect([payload.seq, metricValue(payload, 'bdSeq')]).toEqual([0, 0]);
    await waitFor('all births', () => broker.published('DBIRTH').length === 6);
  });

  it('hands on which numbers the host asks for again, and ignores a command that is malformed', async () => {
    const { links, resends } = start();
    await waitFor('a session', () => links.length === 1);
    const ask = (value: Uint8Array) => encodePayload({ metrics: [{ name: 'Outbox/Resend', dataType: dataType.Bytes, value }] });
    const request = { stream: '0123456789abcdef'.repeat(2), from: 7, to: 9 };
    broker.command(ask(Uint8Array.of(1, 2, 3)));
    broker.command(ask(encodeResend(request)));
    await waitFor('the request', () => resends.length === 1);
    expect(resends).toEqual([request]);
  });

  it('sends node data at QoS 1 with the node’s own metrics, and tells when it is acknowledged', async () => {
    const { links } = start();
    await waitFor('a session', () => links.length === 1);
    await links[0]?.publishNode([{ name: 'Outbox/Loss', dataType: dataType.String, value: '{}' }]);
    const [message] = broker.published('NDATA').filter(({ qos }) => qos === 1);
    expect(message?.payload.metrics.map(({ name }) => name)).toEqual(['Outbox/Records', 'Outbox/Loss']);
    broker.hold();
    const held = links[0]?.publishNode([]).then(
      () => 'acknowledged',
      () => 'rejected',
    );
    await broker.close();
    expect(await held).toBe('rejected');
  });

  it('tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath: says goodbye once, with QoS 1', async () => {
    const { session, links } = start({ clock: createNodeClock() });
    await waitFor('a session', () => links.length === 1);
    await session.stop();
    expect(links[0]?.signal.aborted).toBe(true);
    expect(broker.published('NDEATH')).toMatchObject([{ qos: 1, retain: false, topic: 'spBv1.0/g/NDEATH/e' }]);
    expect(metricValue(broker.published('NDEATH')[0]?.payload, 'bdSeq')).toBe(0);
    await session.stop();
    expect(connects()).toHaveLength(1);
  });

  it('tck-id-topics-nbirth-bdseq-increment: +1 with every CONNECT, also after a restart, and 255 is followed by 0', async () => {
    const sim: SimDisk = createSimDisk();
    const bdSeqs: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { session, links } = start({ disk: sim.boot() });
      await waitFor('a session', () => links.length === 1);
      await session.stop();
    }
    const disk = sim.boot();
    const file = await disk.open('session/bdseq', 'write');
    await file.write(Uint8Array.of(255), 0);
    const { links } = start({ disk });
    await waitFor('a session', () => links.length === 1);
    await waitFor('the births', () => broker.published('NBIRTH').length === 4);
    for (const { will } of connects()) bdSeqs.push(metricValue(will?.payload, 'bdSeq'));
    expect(bdSeqs).toEqual([0, 1, 2, 0]);
    expect(broker.published('NBIRTH').map(({ payload }) => metricValue(payload, 'bdSeq'))).toEqual([0, 1, 2, 0]);
  });

  it('comes up although the disk is full: sending is what makes room', async () => {
    const sim = createSimDisk();
    sim.setCapacity(0);
    const { links } = start({ disk: sim.boot() });
    await waitFor('a session', () => links.length === 1);
  });

  it('comes back when the broker does, rejects what was under way, and sends nothing from before', async () => {
    const { session, links } = start();
    await waitFor('a session', () => links.length === 1);
    const { port } = broker;
    broker.hold();
    const unanswered = links[0]?.publish('on', (seq) => encodePayload({ seq, metrics: [] }));
    const outcome = unanswered?.then(
      () => 'acknowledged',
      () => 'rejected',
    );
    await waitFor('the message', () => broker.published('DDATA').length === 1);
    await broker.close();
    await waitFor('the end of the session', () => links[0]?.signal.aborted === true);
    expect(await outcome).toBe('rejected');
    await expect(links[0]?.publish('on', (seq) => encodePayload({ seq, metrics: [] }))).rejects.toThrow();
    broker = await startRecordingBroker(port);
    await waitFor('the next session', () => links.length === 2);
    await waitFor('its births', () => broker.published('DDEATH').length === 1);
    expect(broker.published()[0]?.type).toBe('NBIRTH');
    expect(broker.published('DDATA')).toEqual([]);
    expect(metricValue(broker.published('NBIRTH')[0]?.payload, 'bdSeq')).not.toBe(0);
    expect(session.health()).toMatchObject({ isOnline: true, connects: 2 });
  });

  it('tells why there is no session: refused login, nobody there', async () => {
    const reasons: unknown[] = [];
    const log: Log = Object.assign(silentLog(), { warn: (fields: { reason: unknown }) => reasons.push(fields.reason) });
    const refusing = createServer((socket) => socket.once('data', () => socket.end(Buffer.from([0x20, 2, 0, 5]))));
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const address = refusing.address();
    const url = `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    start({ url, log });
    await waitFor('the first reason', () => reasons.length === 1);
    await new Promise((resolve) => refusing.close(resolve));
    start({ url, log });
    await waitFor('the second reason', () => reasons.length === 2);
    expect(reasons).toEqual([expect.stringMatching(/not authorized/i), expect.stringContaining('ECONNREFUSED')]);
  });

  it('asks soon again where nobody listens, later where somebody does not answer', async () => {
    const waits = async (url: string, connectTimeoutMs: number): Promise<readonly number[]> => {
      const clock = fastClock();
      const asked: number[] = [];
      const sleep: Clock['sleep'] = (delayMs, signal) => {
        asked.push(delayMs);
        return clock.sleep(delayMs / 10, signal);
      };
      start({ url, connectTimeoutMs, clock: { ...clock, sleep } });
      await waitFor('eight tries', () => asked.length >= 8);
      return asked;
    };
    expect(Math.max(...(await waits('mqtt://127.0.0.1:1', 5000)))).toBeLessThanOrEqual(1500);
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    expect(Math.max(...(await waits(`mqtt://127.0.0.1:${port}`, 50)))).toBeGreaterThan(5000);
    silent.close();
  });

  it('tries again when a broker takes the connection and then says nothing', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { session } = start({ url: `mqtt://127.0.0.1:${port}`, connectTimeoutMs: 60 });
    await waitFor('a third attempt', () => sockets.length >= 3);
    expect(session.health()).toMatchObject({ isOnline: false, connects: 0 });
    await session.stop();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => mute.close(resolve));
  });

  it('leaves a value that does not fit its type out of the birth, not the birth', async () => {
    const { devices, session, links } = start();
    await waitFor('a session', () => links.length === 1);
    devices.get('on')?.last.set('N', { metric: 'N', value: 1.5, timestampMs: 1, quality: 192 });
    session.deviceChanged('on', true);
    await waitFor('the birth', () => broker.published('DBIRTH').length === 3);
    expect(metricValue(broker.published('DBIRTH')[2]?.payload, 'N')).toBeNull();
  });

  it('leaves a device out whose birth is larger than the broker takes, and keeps the session for the others', async () => {
    const { devices, session, links } = start();
    const many = Array.from({ length: 2000 }, (_, i) => ({ name: `Metric/${i}`, dataType: 'Double' as const }));
    devices.add({ id: 'huge', intervalMs: 0 }, many);
    await waitFor('a session', () => links.length === 1);
    session.deviceChanged('huge', true);
    session.deviceChanged('huge', false);
    session.deviceChanged('on', true);
    await waitFor('the birth of the other', () => broker.published('DBIRTH').filter(({ device }) => device === 'on').length === 2);
    expect([...broker.published('DBIRTH'), ...broker.published('DDEATH')].some(({ device }) => device === 'huge')).toBe(false);
    const seqs = broker.published().flatMap(({ payload }) => payload.seq ?? []);
    expect(seqs).toEqual(seqs.map((_, i) => i));
    expect(session.health().connects).toBe(1);
  });
});
