import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LatestValue } from '@nhip/stores/history-store';
import { connectAsync, type MqttClient } from 'mqtt';
import { until } from '../harness/until.ts';
import { startHost } from './host-under-test.ts';
import { encode, type WireMetric, type WirePayload } from './payload.ts';
import { type Sniffer, startSniffer } from './sniffer.ts';
import { delivered, type TraceEvent } from './trace.ts';

export interface HostTrace {
  readonly events: readonly TraceEvent[];
  /** What the server had stored after a step. */
  readonly stored: ReadonlyMap<string, readonly LatestValue[]>;
  readonly startedMs: number;
  readonly stoppedMs: number;
  readonly restartedMs: number;
  readonly endedMs: number;
  /** A client that publishes for another node keeps its connection. */
  readonly isImpostorHeard: boolean;
}

/** An edge node that nobody here wrote for this server: its payloads come from another encoder. */
function foreignEdge(client: MqttClient, edge: string) {
  const send = (type: string, payload: WirePayload, device = '', qos: 0 | 1 = 0): Promise<unknown> =>
    client.publishAsync(`spBv1.0/plant/${type}/${edge}${device === '' ? '' : `/${device}`}`, encode(payload), { qos });
  const stamp = (metric: WireMetric): WireMetric => ({ timestamp: Date.now(), ...metric });
  return {
    birth: (bdSeq: number) =>
      send('NBIRTH', {
        timestamp: Date.now(),
        seq: 0,
        metrics: [
          stamp({ name: 'bdSeq', datatype: 4, long_value: bdSeq }),
          stamp({ name: 'Node Control/Rebirth', datatype: 11, boolean_value: false }),
        ],
      }),
    deviceBirth: (seq: number, device: string, value: number) =>
      send('DBIRTH', { timestamp: Date.now(), seq, metrics: [stamp({ name: 'T', alias: 1, datatype: 10, double_value: value })] }, device),
    data: (seq: number, device: string, value: number, metric: WireMetric = {}, qos: 0 | 1 = 0) =>
      send('DDATA', { timestamp: Date.now(), seq, metrics: [stamp({ alias: 1, double_value: value, ...metric })] }, device, qos),
    deviceDeath: (seq: number, device: string) => send('DDEATH', { timestamp: Date.now(), seq, metrics: [] }, device),
    death: (bdSeq: number) => send('NDEATH', death(bdSeq)),
  };
}

function death(bdSeq: number): WirePayload {
  return { timestamp: Date.now(), metrics: [{ name: 'bdSeq', timestamp: Date.now(), datatype: 4, long_value: bdSeq }] };
}

/** Our server with edge nodes that behave, err and die. */
export async function hostThrough(): Promise<HostTrace> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-tck-'));
  const trace: TraceEvent[] = [];
  const mark = (name: string): void => void trace.push({ kind: 'mark', name });
  const stored = new Map<string, readonly LatestValue[]>();
  const clients: MqttClient[] = [];
  const startedMs = Date.now();
  let host = await startHost(folder);
  let sniffer: Sniffer = await startSniffer(trace, host.port);
  const login = async (edge: string, options: object = {}): Promise<MqttClient> => {
    const client = await connectAsync(sniffer.url, { reconnectPeriod: 0, ...host.credential(`plant/${edge}`), ...options });
    clients.push(client);
    return client;
  };
  const will = { topic: 'spBv1.0/plant/NDEATH/gateway', payload: encode(death(3)), qos: 1 as const, retain: false };
  const watch = async (edge: string): Promise<void> => {
    await (await login(edge)).subscribeAsync('spBv1.0/STATE/nhip', { qos: 1 });
  };
  const commands = (edge: string): number => delivered(trace, 'NCMD').filter(({ levels }) => levels[3] === edge).length;
  try {
    await watch('watcher');
    await until('STATE', () => delivered(trace, 'STATE').length === 1);

    const client = await login('gateway', { will });
    await client.subscribeAsync('spBv1.0/plant/NCMD/gateway', { qos: 1 });
    const gateway = foreignEdge(client, 'gateway');
    await gateway.birth(3);
    await gateway.deviceBirth(1, 'press', 1);
    await gateway.data(2, 'press', 2);
    await gateway.data(3, 'press', 3, {}, 1);
    const pastMs = Date.now() - 60_000;
    await gateway.data(4, 'press', -1, { timestamp: pastMs, is_historical: true }, 1);
    const other = await login('other');
    await foreignEdge(other, 'other').birth(0);
    await foreignEdge(other, 'other').deviceBirth(1, 'press', 77);
    await foreignEdge(other, 'other').data(2, 'press', 78, {}, 1);
    stored.set('data', await host.stored());

    mark('gap');
    await gateway.data(9, 'press', 4, {}, 1);
    await until('a rebirth request', () => commands('gateway') === 1);
    await gateway.birth(3);
    await gateway.deviceBirth(1, 'press', 5);

    mark('unborn');
    const unborn = await login('unborn');
    await unborn.subscribeAsync('spBv1.0/plant/NCMD/unborn', { qos: 1 });
    await foreignEdge(unborn, 'unborn').data(0, 'press', 1, {}, 1);
    await until('a rebirth request to the unborn', () => commands('unborn') === 1);

    await gateway.deviceDeath(2, 'press');
    await gateway.data(3, 'none', 0, {}, 1);
    stored.set('device death', await host.stored());
    await gateway.deviceBirth(4, 'press', 6);
    await gateway.death(2);
    await gateway.data(5, 'press', 7, {}, 1);
    stored.set('death of an earlier session', await host.stored());

    const impostor = await login('impostor');
    const gone = new Promise<false>((resolve) => impostor.once('close', () => resolve(false)));
    impostor.publish('spBv1.0/plant/NBIRTH/gateway', encode(death(9)), { qos: 1 });
    const isImpostorHeard = await Promise.race([gone, new Promise<true>((resolve) => impostor.once('packetreceive', () => resolve(true)))]);

    client.stream.destroy();
    await until('the end of the session', async () => {
      const latest = await host.stored();
      stored.set('will', latest);
      return connectionOf(latest, 'plant/gateway/press')?.v === 'agentOffline';
    });

    mark('stop');
    const stoppedMs = Date.now();
    await host.stop();
    await until('the goodbye', () => delivered(trace, 'STATE').length === 2);
    await sniffer.close();
    mark('restart');
    const restartedMs = Date.now();
    host = await startHost(folder);
    sniffer = await startSniffer(trace, host.port);
    await watch('second');
    await until('STATE again', () => delivered(trace, 'STATE').length === 3);
    return { events: trace, stored, startedMs, stoppedMs, restartedMs, endedMs: Date.now(), isImpostorHeard };
  } finally {
    await Promise.all(clients.map((each) => each.endAsync(true)));
    await sniffer.close();
    await host.stop();
    rmSync(folder, { recursive: true });
  }
}

export function connectionOf(latest: readonly LatestValue[] | undefined, machine: string): LatestValue | undefined {
  return latest?.find((value) => value.machine === machine && value.metric === 'Connection');
}
