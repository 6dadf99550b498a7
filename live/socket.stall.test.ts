import { createServer } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { type LiveFrame, liveEvents } from '@nhip/core/wire/live';
import { io } from 'socket.io-client';
import { expect, it } from 'vitest';
import type { Authenticator } from './auth/authenticator.ts';
import { createOrigins } from './http/origins.ts';
import { createRequestFacts } from './http/request-facts.ts';
import { createLiveHub } from './hub.ts';
import { createSocketOutlet } from './socket.ts';
import { eventually } from './testing/rig.ts';
import { createViewerSlots } from './viewers.ts';

it('holds a bounded amount for a viewer that reads nothing, however much changes', async () => {
  const startMs = Date.UTC(2026, 10, 20);
  let nowMs = startMs;
  const hub = createLiveHub({ epoch: 'e', plant: null });
  const server = createServer();
  const raw: TcpSocket[] = [];
  server.on('upgrade', (_request, socket: TcpSocket) => raw.push(socket));
  const everybody: Pick<Authenticator, 'identify'> = {
    identify: async () => ({ by: 'demo', name: 'demo', user: null, scope: 'read', isValid: async () => true }),
  };
  const outlet = createSocketOutlet(server, {
    hub,
    clock: { ...createNodeEnv('.').clock, now: () => nowMs },
    log: silentLog(),
    authenticator: everybody as Authenticator,
    origins: createOrigins({ allowedHosts: [] }),
    readFacts: createRequestFacts([]),
    slots: createViewerSlots(10),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true });
  try {
    let received = 0;
    const states: unknown[] = [];
    socket.on(liveEvents.frame, (frame: LiveFrame) => {
      received += 1;
      if (frame.k === 'snap' || frame.k === 'd') states.push(frame.machines.find(({ id }) => id === 'g/e/m0')?.product);
      if (frame.k !== 'm') socket.emit(liveEvents.ack, frame.seq);
    });
    const client = socket.io.engine as unknown as { transport: { ws: { _socket: TcpSocket } } };
    await eventually(() => received || undefined);
    const tcp = client.transport.ws._socket;
    tcp.pause();
    const ticks = 300;
    let biggest = 0;
    for (let i = 0; i < ticks; i++) {
      nowMs += 100;
      for (let machine = 0; machine < 300; machine++)
        hub.applySample(`g/e/m${machine}`, 'Job/Product', nowMs, `${'x'.repeat(100)}${i}`, 192);
      outlet.tick(hub.tick(nowMs), nowMs);
      await new Promise((resolve) => setImmediate(resolve));
      biggest = Math.max(biggest, raw[0]?.writableLength ?? 0);
    }
    // Half a minute of 50 KB frames is 15 MB; two frames and one snapshot may wait.
    expect(biggest).toBeLessThan(1_000_000);
    expect(outlet.stats()).toMatchObject({ viewers: 1, slow: 1 });
    expect(outlet.stats().snapshotsSent).toBeLessThanOrEqual(2);
    tcp.resume();
    await eventually(() => {
      nowMs += 100;
      outlet.tick(hub.tick(nowMs), nowMs);
      return states.at(-1) === `${'x'.repeat(100)}${ticks - 1}` && outlet.stats().slow === 0 ? true : undefined;
    });
    expect(received).toBeLessThan(ticks / 2);
  } finally {
    socket.disconnect();
    outlet.close();
    await new Promise((resolve) => server.close(resolve));
  }
}, 15_000);
