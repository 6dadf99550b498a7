import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { startMosquitto } from '../bench/mosquitto.ts';
import { until } from '../harness/until.ts';
import { startEdge } from './edge-under-test.ts';
import { encode, type WireMetric } from './payload.ts';
import { startSniffer } from './sniffer.ts';
import { delivered, events, type Published, readPublished, sent, type TraceEvent } from './trace.ts';

export interface EdgeTrace {
  readonly events: readonly TraceEvent[];
  /** What another client heard from the server: also wills. */
  readonly heard: readonly Published[];
}

const command = (metrics: readonly WireMetric[]): Buffer => encode({ timestamp: Date.now(), metrics });
const rebirth = (): Buffer => command([{ name: 'Node Control/Rebirth', timestamp: Date.now(), datatype: 11, boolean_value: true }]);

/** The whole life of an edge node against mosquitto: everything that it may publish, and every way in which a session ends. */
export async function liveThrough(isStrict: boolean): Promise<EdgeTrace> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-tck-'));
  const server = await startMosquitto(folder);
  const trace: TraceEvent[] = [];
  const mark = (name: string): void => void trace.push({ kind: 'mark', name });
  const heard: Published[] = [];
  const host = await connectAsync(`mqtt://127.0.0.1:${server.port}`, { reconnectPeriod: 0, protocolVersion: 4 });
  host.on('message', (topic, payload, { qos, retain }) => heard.push(readPublished({ topic, payload, qos, retain })));
  await host.subscribeAsync('spBv1.0/#', { qos: 1 });
  const sniffer = await startSniffer(trace, server.port);
  sniffer.dropNextConnect();
  const edge = await startEdge({ urls: [sniffer.url], isStrict, speed: 20 });
  const count = (type: string): number => sent(trace, type).length;
  const seen = (type: string, atLeast: number): Promise<true> => until(`${atLeast} × ${type}`, () => count(type) >= atLeast);
  try {
    await until('the births', () => count('DDEATH') === 1);
    mark('born');

    await edge.report('press', { metric: 'Temperature', value: 20.5 }, { metric: 'Count', value: 1 }, { metric: 'Offset', value: -3 });
    await edge.report(
      'press',
      { metric: 'State', value: 'Running' },
      { metric: 'Running', value: true },
      { metric: 'Setpoint', value: 40 },
    );
    await edge.report('press', { metric: 'Temperature', value: 0, quality: 0 }, { metric: 'Count', value: 1, quality: 500 });
    const now = Date.now();
    await edge.report('press', { metric: 'Count', value: 3, timestampMs: now - 1 }, { metric: 'Count', value: 2, timestampMs: now - 2 });
    const past = { metric: 'Temperature', value: 19, timestampMs: now - 3_600_000, isHistorical: true };
    await edge.report('press', past, { metric: 'Temperature', value: 21 });
    for (let i = 0; i < 300; i++) await edge.report('press', { metric: 'Count', value: 10 + i });
    await seen('DDATA', 306);
    await seen('NDATA', 1);

    mark('device lost');
    edge.delivery.deviceChanged('press', false);
    await seen('DDEATH', 2);
    edge.delivery.deviceChanged('press', true);
    await seen('DBIRTH', 3);

    mark('rebirth asked');
    await host.publishAsync('spBv1.0/plant/NCMD/gateway', rebirth(), { qos: 0 });
    await seen('NBIRTH', 2);
    await edge.report('press', { metric: 'Count', value: 400 });
    await seen('DDATA', 307);

    mark('commanded');
    const asked = [
      { name: 'Temperature', datatype: 10, double_value: 1 },
      { name: 'Nothing', datatype: 10, double_value: 1 },
      { name: 'Setpoint', datatype: 10, double_value: 41.49 },
    ];
    await host.publishAsync('spBv1.0/plant/DCMD/gateway/press', command(asked), { qos: 0 });
    await until('the command', () => edge.commands.length === 1);
    await host.publishAsync('spBv1.0/plant/NCMD/gateway', command([{ name: 'Node Control/Reboot', datatype: 11, boolean_value: true }]));
    await until('both commands', () => delivered(trace, 'NCMD').length === 2);
    mark('machine confirmed');
    await edge.report('press', { metric: 'Setpoint', value: 41.5 });
    await seen('DDATA', 308);

    mark('cut');
    sniffer.cut();
    await until('the will', () => heard.some(({ type }) => type === 'NDEATH'));
    await edge.report('press', { metric: 'Count', value: 500 });
    await seen('NBIRTH', 3);
    await until('the backlog', () => edge.delivery.health().pendingRecords === 0);
    await edge.report('press', { metric: 'Count', value: 501 });
    await until('everything', () => edge.delivery.health().pendingRecords === 0);

    mark('stopped');
    await edge.delivery.stop();
    await until('the end', () => events(trace, 'closed').length === events(trace, 'connect').length);
    return { events: trace, heard };
  } finally {
    await edge.delivery.stop();
    await host.endAsync(true);
    await sniffer.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Two servers and a primary host that comes, goes and lies. */
export async function followPrimaryHost(): Promise<EdgeTrace> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-tck-'));
  const first = await startMosquitto(folder);
  const second = await startMosquitto(folder);
  const trace: TraceEvent[] = [];
  const mark = (name: string): void => void trace.push({ kind: 'mark', name });
  const clients = await Promise.all(
    [first, second].map(({ port }) => connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, protocolVersion: 4 })),
  );
  const sniffers = await Promise.all([first, second].map(({ port }, server) => startSniffer(trace, port, server)));
  const state = async (server: number, host: string, payload: string): Promise<void> => {
    const before = delivered(trace, 'STATE').length;
    await clients[server]?.publishAsync(`spBv1.0/STATE/${host}`, payload, { qos: 1, retain: true });
    if (host === 'main') await until('the STATE at the edge', () => delivered(trace, 'STATE').length > before);
  };
  const edge = await startEdge({ urls: sniffers.map(({ url }) => url), isStrict: true, primaryHostId: 'main', speed: 10 });
  const births = (server: number): number => sent(trace, 'NBIRTH').filter(({ at }) => at.server === server).length;
  try {
    await until('the subscription', () => events(trace, 'suback').length >= 3);
    await state(0, 'other', '{"online":true,"timestamp":5000}');
    await state(0, 'main', 'ONLINE');
    mark('main online');
    await state(0, 'main', '{"online":true,"timestamp":1000}');
    await until('the births', () => births(0) === 1);
    mark('late will');
    await state(0, 'main', '{"online":false,"timestamp":999}');
    await edge.report('press', { metric: 'Count', value: 1 });
    await until('data', () => sent(trace, 'DDATA').length > 0);
    mark('main offline');
    await state(0, 'main', '{"online":false,"timestamp":1000}');
    await until('the second server', () => events(trace, 'suback').filter(({ at }) => at.server === 1).length >= 3);
    mark('main online on the second server');
    await state(1, 'main', '{"online":true,"timestamp":10}');
    await until('the births there', () => births(1) === 1);
    return { events: trace, heard: [] };
  } finally {
    await edge.delivery.stop();
    await Promise.all(clients.map((client) => client.endAsync(true)));
    await Promise.all(sniffers.map((sniffer) => sniffer.close()));
    await Promise.all([first.stop(), second.stop()]);
    rmSync(folder, { recursive: true });
  }
}
