import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { connectAsync } from 'mqtt';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Process } from '../harness/nhip.ts';
import { runNhip } from '../harness/nhip.ts';
import { addDevice, type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { machineConnection, type SettablePlc, startSettablePlc } from '../harness/settable-plc.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);
const machine = 'g/e/M1';

let data: DataFolder;
let plc: SettablePlc;
let server: Process;
let agent: Process;
let http = 0;
let mqtt = 0;

beforeAll(async () => {
  data = makeDataFolder();
  plc = await startSettablePlc();
  plc.set(0, 1);
  plc.set(3, 10);
  plc.set(4, 415);
  server = startServer(data);
  ({ http = 0, mqtt = 0 } = await server.ready);
  agent = (await prepareEdge(data, 'e', mqtt, [machineConnection(plc.port)])).start();
  await agent.ready;
});

afterAll(async () => {
  await agent?.stop();
  await server?.stop();
  await plc?.close();
  data.remove();
});

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${http}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json() as Promise<T>;
}

interface View {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly connection: string;
  readonly lastSample: number | null;
}

function view(): Promise<View> {
  return get<View>(`/api/v1/machines/${encodeURIComponent(machine)}`);
}

describe('from a PLC register to the API', () => {
  it('a device that nobody told the server about appears by itself, with its name and values', async () => {
    const seen = await until('the machine is on the board', async () => {
      const now = await view();
      return now.state === 'running' && now;
    });
    expect(seen).toMatchObject({ id: machine, name: 'Máy thử', connection: 'online' });
    const { metrics } = await get<{ metrics: { name: string; v: unknown; unit: string | null; q: number }[] }>(
      `/api/v1/machines/${encodeURIComponent(machine)}/metrics`,
    );
    expect(metrics).toContainEqual(expect.objectContaining({ name: 'Temp/Oil', v: expect.closeTo(41.5, 6), unit: '°C', q: 192 }));
    expect(metrics).toContainEqual(expect.objectContaining({ name: 'Count/Good', v: 10 }));
  });

  it('a changed register changes the state, is in the history, and reaches a live viewer as a delta', async () => {
    const frames: { k: string; machines?: { id: string; state?: string; reason?: string }[] }[] = [];
    const socket: Socket = io(`http://127.0.0.1:${http}`, { transports: ['websocket'] });
    socket.on('live', (frame) => frames.push(frame));
    await until('a snapshot', () => frames.some(({ k }) => k === 'snap'));
    const changedMs = Date.now();
    plc.set(1, 7);
    plc.set(0, 3);
    await until('the delta', () =>
      frames.some(({ k, machines }) => k === 'd' && machines?.some(({ id, state }) => id === machine && state === 'fault')),
    );
    socket.close();
    expect(await view()).toMatchObject({ state: 'fault', reason: 'toolBroken' });
    const history = await until('the change is stored', async () => {
      const found = await get<{ t: number[]; v: unknown[] }>(
        `/api/v1/history?machine=${encodeURIComponent(machine)}&metric=State&from=${changedMs - 60_000}&to=${Date.now() + 1000}`,
      );
      return found.v.at(-1) === 'fault' ? found : undefined;
    });
    expect(history.t.at(-1)).toBeGreaterThanOrEqual(changedMs - 5);
    const { intervals } = await get<{ intervals: { state: string; from: number; to: number }[] }>(
      `/api/v1/machines/${encodeURIComponent(machine)}/states?from=${changedMs - 1000}&to=${Date.now()}`,
    );
    expect(intervals.map(({ state }) => state).slice(-2)).toEqual(['running', 'fault']);
  });

  it('an unreachable PLC is told apart from a stopped agent; both come back by themselves', async () => {
    const { port } = plc;
    await plc.close();
    await until('PLC unreachable', async () => (await view()).connection === 'plcUnreachable', 30_000);
    plc = await startSettablePlc(port);
    plc.set(0, 2);
    await until(
      'online again, idle',
      async () => {
        const now = await view();
        return now.connection === 'online' && now.state === 'idle';
      },
      60_000,
    );
    await agent.kill();
    await until('agent offline', async () => (await view()).connection === 'agentOffline');
    agent = (await prepareEdge(data, 'e', mqtt, [machineConnection(plc.port)])).start();
    await until('online again', async () => (await view()).connection === 'online', 30_000);
  });
});

describe('any MQTT client', () => {
  it('publishes JSON at QoS 1 and finds it in the history', async () => {
    const { username, password } = await addDevice(data, 'g/esp32');
    const client = await connectAsync(`mqtt://127.0.0.1:${mqtt}`, { username, password });
    const ts = Date.now();
    await client.publishAsync(
      'json/g/esp32/oven',
      JSON.stringify({ ts, values: { 'Temp/Zone1': 181.25, Door: true, Recipe: 'bánh mì' } }),
      { qos: 1 },
    );
    await client.publishAsync('json/g/esp32/oven/Humidity', '61.5', { qos: 1 });
    await client.endAsync();
    const read = (metric: string) =>
      get<{ v: unknown[] }>(
        `/api/v1/history?machine=${encodeURIComponent('g/esp32/oven')}&metric=${encodeURIComponent(metric)}&from=${ts - 1}&to=${ts + 60_000}`,
      );
    await until('stored', async () => (await read('Humidity')).v.length === 1);
    expect((await Promise.all(['Temp/Zone1', 'Door', 'Recipe', 'Humidity'].map(read))).map(({ v }) => v)).toEqual([
      [181.25],
      [true],
      ['bánh mì'],
      [61.5],
    ]);
  });

  it.skipIf(!existsSync('/usr/bin/mosquitto_pub'))('mosquitto_pub (Debian mosquitto-clients) does the same', async () => {
    const { username, password } = await addDevice(data, 'g/mosq');
    const ts = Date.now();
    const to = ['-h', '127.0.0.1', '-p', String(mqtt), '-u', username, '-q', '1'];
    await run('mosquitto_pub', [...to, '-P', password, '-t', 'json/g/mosq/pump', '-m', `{"ts":${ts},"values":{"Flow":12.5}}`]);
    await until(
      'stored',
      async () =>
        (
          await get<{ v: unknown[] }>(
            `/api/v1/history?machine=${encodeURIComponent('g/mosq/pump')}&metric=Flow&from=${ts - 1}&to=${ts + 1000}`,
          )
        ).v[0] === 12.5,
    );
    await expect(run('mosquitto_pub', [...to, '-P', 'wrong', '-t', 'json/g/mosq/pump', '-m', '1'])).rejects.toThrow(/not authori[sz]ed/i);
  });

  it('garbage, absurd times and unknown types become dead letters with a reason; the rest goes on', async () => {
    const { username, password } = await addDevice(data, 'g/odd');
    const client = await connectAsync(`mqtt://127.0.0.1:${mqtt}`, { username, password });
    const before = await get<{ deadLettered: number }>('/api/v1/stats');
    await client.publishAsync('json/g/odd/x', 'not json', { qos: 1 });
    await client.publishAsync('json/g/odd/x', '{"ts":0,"values":{"A":1}}', { qos: 1 });
    await client.publishAsync('json/g/odd/x', '{"ts":"2199-01-01T00:00:00Z","values":{"A":1}}', { qos: 1 });
    await client.publishAsync('spBv1.0/g/DDATA/odd/x', Buffer.from('12ff', 'hex'), { qos: 1 });
    await client.publishAsync('json/g/odd/x', '{"values":{"A":2}}', { qos: 1 });
    await client.endAsync();
    await until(
      'dead letters are counted',
      async () => (await get<{ deadLettered: number }>('/api/v1/stats')).deadLettered === before.deadLettered + 4,
    );
    const { stdout } = await runNhip(['dlq', 'list', '--data', data.path, '--json']);
    const reasons = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { reason: string; topic: string });
    expect(reasons.filter(({ topic }) => topic.includes('/odd')).map(({ reason }) => reason)).toEqual([
      'malformedPayload',
      'timestampOutOfRange',
      'timestampOutOfRange',
      'malformedPayload',
    ]);
    await until(
      'the good value is stored',
      async () => (await get<{ v: unknown[] }>(`/api/v1/history?machine=${encodeURIComponent('g/odd/x')}&metric=A`)).v.length === 1,
    );
  });
});

describe('who may look', () => {
  it('a server that is no demo asks for a login, and takes Basic, cookie and nothing else', async () => {
    const own = makeDataFolder();
    const closed = startServer(own, {}, []);
    const { http: port } = await closed.ready;
    const url = `http://127.0.0.1:${port}/api/v1/machines`;
    const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` });
    const status = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
    expect([await status({}), await status(basic('wrong-password')), await status(basic('test-admin-password'))]).toEqual([401, 401, 200]);
    await closed.stop();
    own.remove();
  });
});
