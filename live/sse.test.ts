import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveFrame } from '@nhip/core/wire/live';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from './auth/authenticator.ts';
import { createLiveHub } from './hub.ts';
import { createSseOutlet } from './sse.ts';
import { lathe, press } from './testing/plant.ts';
import { eventually, type Rig, startRig } from './testing/rig.ts';
import { createViewerSlots, dropAfterMs } from './viewers.ts';

/** Reads frames until the stream ends. */
function follow(response: Response): { frames: LiveFrame[]; ended: Promise<void> } {
  const frames: LiveFrame[] = [];
  const read = async () => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk as Uint8Array);
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) if (event.startsWith('data: ')) frames.push(JSON.parse(event.slice(6)) as LiveFrame);
    }
  };
  return { frames, ended: read().catch(() => undefined) };
}

describe('GET /api/v1/live', () => {
  let rig: Rig;
  const aborts: AbortController[] = [];
  beforeEach(async () => {
    rig = await startRig({ config: { demo: true, maxViewers: 2 } });
  });
  afterEach(async () => {
    for (const abort of aborts.splice(0)) abort.abort();
    await rig.close();
  });

  async function open(query = ''): Promise<Response> {
    const abort = new AbortController();
    aborts.push(abort);
    return await fetch(`${rig.url}/api/v1/live${query}`, { signal: abort.signal });
  }

  it('streams snapshot, changes, heartbeats and the metrics of a watched machine', async () => {
    const response = await open(`?watch=${encodeURIComponent(press)}`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const { frames } = follow(response);
    expect(await eventually(() => frames[0])).toMatchObject({ k: 'snap', machines: [{ id: press }, { id: lathe }] });
    await rig.publish(press, { State: 'running' });
    await eventually(() => frames.find((frame) => frame.k === 'd' && frame.machines[0]?.state === 'running'));
    await eventually(() => frames.find((frame) => frame.k === 'm' && frame.metrics[0]?.v === 'running'));
    await eventually(() => frames.find((frame) => frame.k === 'hb'));
  });

  it('bounds the number of viewers and frees a place when one goes', async () => {
    await open();
    await open();
    const refused = await open();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('10');
    aborts[0]?.abort();
    await eventually(async () => ((await open()).status === 200 ? true : undefined));
  });

  it('ends its streams when the service stops', async () => {
    const { ended } = follow(await open());
    await rig.live.stop();
    await ended;
  });
});

/** An outlet under the clock of the test, and one viewer that reads nothing yet. */
async function openOutlet(isValid: () => boolean = () => true) {
  const clock = { nowMs: Date.UTC(2026, 10, 20) };
  const hub = createLiveHub({ epoch: 'e', plant: null });
  const outlet = createSseOutlet(hub, createViewerSlots(5));
  let serverSide: ServerResponse | undefined;
  const server = createServer((_request, response) => {
    serverSide = response;
    const identity: Identity = { by: 'demo', name: 'demo', user: null, scope: 'read', isValid: async () => isValid() };
    outlet.open(response, identity, undefined, clock.nowMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  let text = '';
  let incoming: IncomingMessage | undefined;
  client.on('response', (response) => {
    incoming = response.setEncoding('utf8');
  });
  client.on('error', () => undefined);
  client.end();
  await eventually(() => serverSide);
  const tick = (afterMs: number): void => {
    clock.nowMs += afterMs;
    outlet.tick(hub.tick(clock.nowMs), clock.nowMs);
  };
  return {
    outlet,
    tick,
    /** Ticks with changes of 300 machines until the connection is full, and beyond; the last product ends in `x299`. The most bytes that waited. */
    async flood(): Promise<number> {
      let most = 0;
      for (let i = 0; i < 300; i++) {
        for (let machine = 0; machine < 300; machine++)
          hub.applySample(`g/e/m${machine}`, 'Job/Product', clock.nowMs, `${'x'.repeat(100)}${i}`, 192);
        tick(100);
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, serverSide?.writableLength ?? 0);
      }
      return most;
    },
    /** The first listener for data starts the reading. */
    read(): void {
      incoming?.on('data', (chunk: string) => {
        text = (text + chunk).slice(-500_000);
      });
    },
    newestSnapshot: () => text.split('\n\n').findLast((event) => event.includes('"k":"snap"')),
    async close(): Promise<void> {
      client.destroy();
      outlet.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a viewer that stalls', () => {
  it('is skipped instead of buffered, and gets a fresh snapshot when it reads again', async () => {
    const rig = await openOutlet();
    try {
      expect(await rig.flood()).toBeLessThan(1_000_000);
      expect(rig.outlet.stats().slow).toBe(1);
      rig.read();
      await eventually(() => {
        rig.tick(100);
        return rig.newestSnapshot()?.includes('x299"') && rig.outlet.stats().slow === 0 ? true : undefined;
      });
    } finally {
      await rig.close();
    }
  }, 15_000);
});

describe('a clock of the server that is set back an hour', () => {
  const hourMs = 3_600_000;

  it('lets nobody wait for a snapshot', async () => {
    const rig = await openOutlet();
    try {
      await rig.flood();
      rig.read();
      rig.tick(-hourMs);
      await eventually(() => {
        rig.tick(1);
        return rig.newestSnapshot()?.includes('x299"') ? true : undefined;
      });
    } finally {
      await rig.close();
    }
  }, 15_000);

  it('keeps no viewer whose login ended', async () => {
    let isValid = true;
    const rig = await openOutlet(() => isValid);
    try {
      isValid = false;
      rig.tick(-hourMs);
      await eventually(() => (rig.outlet.stats().viewers === 0 ? true : undefined));
    } finally {
      await rig.close();
    }
  });

  it('keeps no place for a viewer that takes nothing', async () => {
    const rig = await openOutlet();
    try {
      await rig.flood();
      rig.tick(-hourMs);
      rig.tick(dropAfterMs - 1);
      expect(rig.outlet.stats().dropped).toBe(0);
      rig.tick(1);
      expect(rig.outlet.stats().dropped).toBe(1);
    } finally {
      await rig.close();
    }
  });
});
