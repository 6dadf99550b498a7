import { request } from 'node:http';
import { type LiveFrame, liveEvents, type MetricsFrame, type SnapshotFrame } from '@nhip/core/wire/live';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lathe, press } from './testing/plant.ts';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
const sockets: Socket[] = [];

function connect(headers: Record<string, string> = {}): { socket: Socket; frames: LiveFrame[] } {
  const socket = io(rig.url, { transports: ['websocket'], reconnection: false, forceNew: true, extraHeaders: headers });
  sockets.push(socket);
  const frames: LiveFrame[] = [];
  socket.on(liveEvents.frame, (frame: LiveFrame) => {
    frames.push(frame);
    if (frame.k !== 'm') socket.emit(liveEvents.ack, frame.seq);
  });
  return { socket, frames };
}

beforeEach(async () => {
  rig = await startRig({ config: { demo: true } });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect();
  await rig.close();
});

describe('Socket.io', () => {
  it('sends a snapshot, then what changes, then heartbeats', async () => {
    const { frames } = connect();
    const snapshot = await eventually(() => frames.find((frame): frame is SnapshotFrame => frame.k === 'snap'));
    expect(snapshot.machines.map(({ id }) => id)).toEqual([press, lathe]);
    expect(snapshot.plant).toMatchObject({ name: { en: 'Hoa Lac plant' }, lines: [{ id: 'L1' }] });
    await rig.publish(press, { State: 'running' });
    const delta = await eventually(() => frames.find((frame) => frame.k === 'd'));
    expect(delta).toMatchObject({ epoch: snapshot.epoch, seq: snapshot.seq + 1, machines: [{ id: press, state: 'running' }] });
    expect(await eventually(() => frames.find((frame) => frame.k === 'hb'))).toMatchObject({ epoch: snapshot.epoch });
  });

  it('answers a resync with a snapshot that equals what the API tells', async () => {
    const { socket, frames } = connect();
    await eventually(() => frames.find((frame) => frame.k === 'snap'));
    // This viewer loses its frames; the next one shows the gap.
    socket.off(liveEvents.frame);
    await rig.publish(press, { State: 'fault', 'State/Reason': 'Kẹt phôi' });
    await eventually(async () => ((await rig.machine(press)).state === 'fault' ? true : undefined));
    const snapshot = await new Promise<SnapshotFrame>((resolve) => {
      socket.on(liveEvents.frame, (frame: LiveFrame) => frame.k === 'snap' && resolve(frame));
      socket.emit(liveEvents.resync);
    });
    expect(snapshot.machines.find(({ id }) => id === press)).toEqual(await rig.machine(press));
  });

  it('sends the metrics of the watched machine only, whole, also when nothing changes', async () => {
    await rig.publish(press, { 'Temp/Oil': 61.5, Serial: 'x' });
    await rig.publish(lathe, { 'Temp/Oil': 20 });
    await eventually(async () => ((await rig.machine(lathe)).lastSample === null ? undefined : true));
    const { socket, frames } = connect();
    const metrics = () => frames.filter((frame): frame is MetricsFrame => frame.k === 'm');
    socket.emit(liveEvents.watch, press);
    const first = await eventually(() => metrics()[0]);
    expect(first.metrics.map(({ name, v }) => [name, v])).toEqual([
      ['Serial', 'x'],
      ['Temp/Oil', 61.5],
    ]);
    await rig.publish(press, { 'Temp/Oil': 62 });
    const second = await eventually(() => metrics()[1]);
    expect(second.metrics).toHaveLength(2);
    expect(second.metrics[1]).toMatchObject({ name: 'Temp/Oil', v: 62 });
    // A second viewer of the same machine is served although nothing changed.
    const other = connect();
    other.socket.emit(liveEvents.watch, press);
    await eventually(() => other.frames.find((frame) => frame.k === 'm'));
    socket.emit(liveEvents.watch, null);
    expect(new Set(metrics().map(({ machine }) => machine))).toEqual(new Set([press]));
  });

  it('delivers a change together with the metrics of the same tick', async () => {
    const { socket, frames } = connect();
    socket.emit(liveEvents.watch, press);
    await eventually(() => frames.find((frame) => frame.k === 'snap'));
    for (let i = 0; i < 20; i++) await rig.publish(press, { 'Power/Active': i });
    await eventually(() => {
      const newest = frames.findLast((frame): frame is MetricsFrame => frame.k === 'm');
      return newest?.metrics.some(({ name, v }) => name === 'Power/Active' && v === 19) ? true : undefined;
    });
    const seqs = frames.flatMap((frame) => (frame.k === 'd' ? [frame.seq] : []));
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i));
  });

  it('cuts off a flood of events and ignores nonsense', async () => {
    const { socket, frames } = connect();
    await eventually(() => frames[0]);
    socket.emit(liveEvents.watch, { $ne: 1 });
    socket.emit(liveEvents.watch, 'x'.repeat(10_000));
    socket.emit(liveEvents.ack, 'NaN');
    socket.emit('shutdown');
    await eventually(() => frames.find((frame) => frame.k === 'hb'));
    expect(socket.connected).toBe(true);
    for (let i = 0; i < 300; i++) socket.emit(liveEvents.resync);
    await eventually(() => (socket.connected ? undefined : true));
    expect(frames.filter((frame) => frame.k === 'snap').length).toBeLessThan(5);
  });
});

describe('a viewer that stalls', () => {
  it('is left out of the broadcast, holds nothing on the server, and catches up', async () => {
    const { socket, frames } = connect();
    const healthy = connect();
    await eventually(() => healthy.frames.find((frame) => frame.k === 'snap'));
    await eventually(() => frames.find((frame) => frame.k === 'snap'));
    // Reads nothing from here on: the connection fills up to what the kernel buffers.
    const engine = socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void; resume(): void } } } };
    const raw = engine.transport.ws._socket;
    raw.pause();
    const slow = async () => {
      const text = await (await fetch(`${rig.url}/metrics`)).text();
      return /live_slow_viewers\{transport="socket"\} (\d+)/.exec(text)?.[1] === '1' ? true : undefined;
    };
    let i = 0;
    await eventually(async () => {
      await rig.publish(press, { State: i++ % 2 === 0 ? 'running' : 'idle' });
      return slow();
    });
    const seen = frames.length;
    await rig.publish(press, { State: 'maintenance' });
    await eventually(() => healthy.frames.some((frame) => frame.k === 'd' && frame.machines[0]?.state === 'maintenance') || undefined);
    expect(frames).toHaveLength(seen);
    raw.resume();
    await eventually(async () => ((await slow()) ? undefined : true));
    await rig.publish(press, { State: 'setup' });
    await eventually(() => frames.some((frame) => frame.k === 'd' && frame.machines[0]?.state === 'setup') || undefined);
  }, 15_000);
});

describe('who may connect', () => {
  it('refuses a foreign page, and without the demo whoever is not logged in', async () => {
    const refused = async (headers: Record<string, string>) => {
      const { socket } = connect(headers);
      return await new Promise<boolean>((resolve) => {
        socket.on('connect_error', () => resolve(true));
        socket.on('connect', () => resolve(false));
      });
    };
    expect(await refused({ Origin: 'http://evil.example' })).toBe(true);
    expect(await refused({ Origin: rig.url })).toBe(false);
    expect(await refused({ 'X-Forwarded-For': '203.0.113.9' })).toBe(true);
    expect(await handshakeStatus('evil.example')).toBe(403);
  });

  it('closes the live connections of a session at logout', async () => {
    const cookie = await rig.login();
    const { socket, frames } = connect({ Cookie: cookie, 'X-Forwarded-For': '203.0.113.9' });
    await eventually(() => frames[0]);
    const stream = await fetch(`${rig.url}/api/v1/live`, { headers: { cookie, 'x-forwarded-for': '203.0.113.9' } });
    expect(stream.status).toBe(200);
    const ended = stream.text().then(
      () => true,
      () => true,
    );
    const logout = await fetch(`${rig.url}/api/v1/session`, { method: 'DELETE', headers: { cookie, origin: rig.url } });
    expect(logout.status).toBe(204);
    await eventually(() => (socket.connected ? undefined : true));
    expect(await ended).toBe(true);
    const after = await fetch(`${rig.url}/api/v1/machines`, { headers: { cookie, 'x-forwarded-for': '203.0.113.9' } });
    expect(after.status).toBe(401);
  });

  it('closes those of all devices of a user, and of nobody without a user', async () => {
    const [phone, desk] = [await rig.login(), await rig.login()];
    const { socket, frames } = connect({ Cookie: phone, 'X-Forwarded-For': '203.0.113.9' });
    await eventually(() => frames[0]);
    const everywhere = (headers: Record<string, string>) =>
      fetch(`${rig.url}/api/v1/sessions`, { method: 'DELETE', headers: { ...headers, origin: rig.url } });
    expect((await everywhere({ 'x-forwarded-for': '203.0.113.9' })).status).toBe(401);
    expect((await everywhere({})).status).toBe(401);
    expect(socket.connected).toBe(true);
    expect((await everywhere({ cookie: desk })).status).toBe(204);
    await eventually(() => (socket.connected ? undefined : true));
    for (const cookie of [phone, desk]) {
      const after = await fetch(`${rig.url}/api/v1/machines`, { headers: { cookie, 'x-forwarded-for': '203.0.113.9' } });
      expect(after.status).toBe(401);
    }
  });

  /** The status of a Socket.io handshake that names a host; fetch cannot set that header. */
  async function handshakeStatus(host: string): Promise<number> {
    return await new Promise((resolve, reject) => {
      const handshake = request(`${rig.url}/socket.io/?EIO=4&transport=polling`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      handshake.on('error', reject);
      handshake.end();
    });
  }
});
