import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMosquitto } from '../bench/mosquitto.ts';
import { until } from '../harness/until.ts';
import { type EdgeUnderTest, startEdge } from './edge-under-test.ts';
import { startHost } from './host-under-test.ts';
import { decode } from './payload.ts';
import { type Sniffer, startSniffer } from './sniffer.ts';
import { events, sent, type TraceEvent } from './trace.ts';

let folder: string;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-tck-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  rmSync(folder, { recursive: true });
});

/** Values before, during and after a time in which the network takes everything and delivers nothing. */
async function reportThroughSilence(edge: EdgeUnderTest, sniffer: Sniffer, trace: readonly TraceEvent[]): Promise<readonly number[]> {
  await until('the session', () => edge.delivery.health().session.isOnline);
  const values: number[] = [];
  const report = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      values.push(values.length + 1);
      await edge.report('press', { metric: 'Count', value: values.length });
    }
  };
  await report(20);
  await until('them on the wire', () => sent(trace, 'DDATA').length >= 20);
  sniffer.swallow();
  await report(200);
  await until('the next session', () => sent(trace, 'NBIRTH').length >= 2, 60_000);
  await report(20);
  await until('everything released', () => edge.delivery.health().pendingRecords === 0, 60_000);
  return values;
}

describe('a strict edge over a connection that dies in silence', () => {
  it('sends again what nobody got, as historical: another host sees every value', async () => {
    const server = await startMosquitto(folder);
    stops.push(() => server.stop());
    const host = await connectAsync(`mqtt://127.0.0.1:${server.port}`, { reconnectPeriod: 0 });
    stops.push(() => host.endAsync(true));
    const seen = new Set<unknown>();
    host.on('message', (_, bytes) => {
      for (const metric of decode(bytes).metrics) seen.add(metric.long_value);
    });
    await host.subscribeAsync('spBv1.0/plant/DDATA/#');
    const trace: TraceEvent[] = [];
    const sniffer = await startSniffer(trace, server.port);
    stops.push(() => sniffer.close());
    const edge = await startEdge({ urls: [sniffer.url], isStrict: true, keepaliveS: 2 });
    stops.push(() => edge.delivery.stop());
    const values = await reportThroughSilence(edge, sniffer, trace);
    await until('the values at the host', () => values.every((value) => seen.has(value)));
    const first = events(trace, 'connect')[0]?.at.connection;
    const again = sent(trace, 'DDATA')
      .filter(({ at }) => at.connection !== first)
      .flatMap(({ payload }) => payload?.metrics ?? [])
      .filter((metric) => metric.is_historical === true);
    expect(again.map((metric) => metric.long_value)).toEqual(expect.arrayContaining(Array.from({ length: 190 }, (_, i) => 21 + i)));
    expect(sent(trace, 'DDATA').every(({ qos }) => qos === 0)).toBe(true);
  });

  it('is stored exactly once by our server', async () => {
    const host = await startHost(folder);
    stops.push(() => host.stop());
    const trace: TraceEvent[] = [];
    const sniffer = await startSniffer(trace, host.port);
    stops.push(() => sniffer.close());
    const edge = await startEdge({
      urls: [sniffer.url],
      isStrict: true,
      keepaliveS: 2,
      password: host.credential('plant/gateway').password,
    });
    stops.push(() => edge.delivery.stop());
    const values = await reportThroughSilence(edge, sniffer, trace);
    await host.stored();
    expect((await host.values('plant/gateway/press', 'Count')).map(Number).sort((a, b) => a - b)).toEqual(values);
  });
});
