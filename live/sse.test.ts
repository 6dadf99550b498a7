import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveFrame } from '@nhip/core/wire/live';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLiveHub } from './hub.ts';
import { createSseOutlet } from './sse.ts';
import { lathe, press } from './testing/plant.ts';
import { eventually, type Rig, startRig } from './testing/rig.ts';
import { createViewerSlots } from './viewers.ts';

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

describe('a viewer that stalls', () => {
  it('is skipped instead of buffered, and gets a fresh snapshot when it reads again', async () => {
    let nowMs = Date.UTC(2026, 10, 20);
    const hub = createLiveHub({ epoch: 'e', plant: null });
    const outlet = createSseOutlet(hub, createViewerSlots(5));
    let serverSide: ServerResponse | undefined;
    const server = createServer((_request, response) => {
      serverSide = response;
      outlet.open(response, { by: 'demo', name: 'demo', user: null, scope: 'read', isValid: async () => true }, undefined, nowMs);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    try {
      let text = '';
      let incoming: IncomingMessage | undefined;
      client.on('response', (response) => {
        incoming = response.setEncoding('utf8');
      });
      client.end();
      await eventually(() => serverSide);
      let biggest = 0;
      for (let i = 0; i < 300; i++) {
        nowMs += 100;
        for (let machine = 0; machine < 300; machine++)
          hub.applySample(`g/e/m${machine}`, 'Job/Product', nowMs, `${'x'.repeat(100)}${i}`, 192);
        outlet.tick(hub.tick(nowMs), nowMs);
        await new Promise((resolve) => setImmediate(resolve));
        biggest = Math.max(biggest, serverSide?.writableLength ?? 0);
      }
      expect(biggest).toBeLessThan(1_000_000);
      expect(outlet.stats().slow).toBe(1);
      // The first listener for data starts the reading.
      incoming?.on('data', (chunk: string) => {
        text = (text + chunk).slice(-500_000);
      });
      await eventually(() => {
        nowMs += 100;
        outlet.tick(hub.tick(nowMs), nowMs);
        const last = text.split('\n\n').findLast((event) => event.includes('"k":"snap"'));
        return last?.includes('x299"') && outlet.stats().slow === 0 ? true : undefined;
      });
    } finally {
      client.destroy();
      outlet.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }, 15_000);
});
