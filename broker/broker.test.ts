import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { RetryableError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { brokerStartedTopic, decodeLogMessage } from '@nhip/core/telemetry/log-record';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CredentialFile, openCredentials } from './auth/credentials.ts';
import { type Broker, createBroker } from './broker.ts';
import { brokerConfig } from './config.ts';

let folder: string;
let logBus: LogBus;
let broker: Broker;
let credentials: CredentialFile;
let port: number;
let webSocketPort: number | undefined;
let held: (() => void)[] | undefined;
const unreadable = vi.fn<(error: Error) => void>();
const clients: MqttClient[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-broker-'));
  const env = createNodeEnv(folder);
  const real = await openSegmentLog(env, 'log', { commitDelayMs: 1, maxBytes: 67_108_864, readers: [], log: silentLog() });
  // The wire between gate and disk can be held: a disk that has not synced yet.
  logBus = {
    ...real,
    append: async (payload) => {
      if (held !== undefined) await new Promise<void>((resolve) => held?.push(resolve));
      return real.append(payload);
    },
  };
  unreadable.mockClear();
  credentials = openCredentials(join(folder, 'credentials.json'), unreadable);
  const limits = { maxPacketBytes: 8192, maxSubscriptions: 3, connectTimeoutMs: 300, drainTimeoutMs: 300 };
  const config = brokerConfig.parse({ port: 0, webSocketPort: 0, ...limits });
  const clock = { ...env.clock, sleep: (_: number, signal?: AbortSignal) => env.clock.sleep(5, signal) };
  broker = createBroker(config, { clock, log: silentLog(), logBus, credentials });
  ({ port, webSocketPort } = await broker.start());
});

afterEach(async () => {
  held = undefined;
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  for (const socket of sockets.splice(0)) socket.destroy();
  await broker.stop();
  await logBus.close();
  rmSync(folder, { recursive: true });
});

async function client(name = 'g/e', options: IClientOptions = {}): Promise<MqttClient> {
  const { username, password } = credentials.add(name, 0);
  const made = await connectAsync(`mqtt://127.0.0.1:${port}`, { username, password, reconnectPeriod: 0, ...options });
  clients.push(made);
  return made;
}

async function logged(): Promise<readonly string[]> {
  const records = await logBus.read(0, { maxRecords: 100_000, maxBytes: 1e9, waitMs: 0 });
  return records
    .map((record) => decodeLogMessage(record.payload))
    .filter(({ topic }) => topic !== brokerStartedTopic)
    .map(({ topic, payload }) => `${topic} ${Buffer.from(payload)}`);
}

function rawSocket(): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
}

function ended(mqttClient: MqttClient): Promise<void> {
  return new Promise((resolve) => mqttClient.once('close', () => resolve()));
}

async function rejected(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'accepted',
    (error: Error) => error.message,
  );
}

describe('broker: P1, a PUBACK means on disk', () => {
  it('acknowledges only after the append is durable, without holding up other clients', async () => {
    const [slow, fast] = await Promise.all([client('g/slow'), client('g/fast')]);
    held = [];
    let isAcknowledged = false;
    const sent = slow.publishAsync('json/g/slow/d', '{"values":{"A":1}}', { qos: 1 }).then(() => {
      isAcknowledged = true;
    });
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const release = held;
    held = undefined;
    await fast.publishAsync('json/g/fast/d', '{"values":{"A":2}}', { qos: 1 });
    expect(isAcknowledged).toBe(false);
    expect(await logged()).toEqual(['json/g/fast/d {"values":{"A":2}}']);
    for (const proceed of release) proceed();
    await sent;
    expect(await logged()).toContain('json/g/slow/d {"values":{"A":1}}');
  });

  it('keeps the order of one client and takes every QoS, and wills', async () => {
    const publisher = await client('g/e', { will: { topic: 'spBv1.0/g/NDEATH/e', payload: Buffer.from('bye'), qos: 1, retain: false } });
    for (const qos of [0, 1, 2] as const) await publisher.publishAsync('json/g/e/d', `${qos}`, { qos });
    publisher.stream.destroy();
    await vi.waitFor(async () =>
      expect(await logged()).toEqual(['json/g/e/d 0', 'json/g/e/d 1', 'json/g/e/d 2', 'spBv1.0/g/NDEATH/e bye']),
    );
  });

  it('closes the connection instead of acknowledging when the log cannot be written', async () => {
    const publisher = await client();
    await logBus.close();
    const gone = ended(publisher);
    publisher.publish('json/g/e/d', 'x', { qos: 1 });
    await gone;
    expect(broker.health().received).toBe(0);
  });
});

describe('broker: who may do what', () => {
  it('goes on with the credentials that it knows when their file is damaged, and never replaces it', async () => {
    const { username, password } = credentials.add('g/e', 0);
    const file = join(folder, 'credentials.json');
    writeFileSync(file, '[{');
    const publisher = await connectAsync(`mqtt://127.0.0.1:${port}`, { username, password, reconnectPeriod: 0 });
    clients.push(publisher);
    expect(unreadable).toHaveBeenCalledOnce();
    expect(() => credentials.add('g/other', 0)).toThrow(`${file} cannot be read`);
    expect(readFileSync(file, 'utf8')).toBe('[{');
  });

  it('lets a client in past any number of sockets that say nothing', async () => {
    await Promise.all(Array.from({ length: 256 }, rawSocket));
    expect((await client()).connected).toBe(true);
  });

  it('refuses wrong passwords, unknown users and no credentials with "not authorized"', async () => {
    const { username, password } = credentials.add('g/e', 0);
    const attempt = (options: IClientOptions) => rejected(connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options }));
    expect(await attempt({})).toMatch(/not authorized/i);
    expect(await attempt({ username, password: `${password}x` })).toMatch(/not authorized/i);
    expect(await attempt({ username: 'g/other', password })).toMatch(/not authorized/i);
    expect(await attempt({ username: '__proto__', password: 'constructor' })).toMatch(/not authorized/i);
    expect(broker.health().authFailed).toBe(4);
  });

  it('sees a credential that was added or removed while it runs', async () => {
    const other = openCredentials(join(folder, 'credentials.json'));
    const { username, password } = other.add('g/new', 0);
    const connectNow = () => connectAsync(`mqtt://127.0.0.1:${port}`, { username, password, reconnectPeriod: 0 });
    clients.push(await connectNow());
    other.remove('g/new');
    expect(await rejected(connectNow())).toMatch(/not authorized/i);
  });

  it('closes the connections of a credential that was removed or renewed, takes their will, and leaves the others', async () => {
    const will = { topic: 'spBv1.0/g/NDEATH/stolen', payload: Buffer.from('gone'), qos: 1 as const, retain: false };
    const [stolen, renewed, other] = await Promise.all([client('g/stolen', { will }), client('g/renewed'), client('g/other')]);
    await stolen.subscribeAsync('spBv1.0/g/NCMD/stolen');
    const gone = Promise.all([ended(stolen), ended(renewed)]);
    const beside = openCredentials(join(folder, 'credentials.json'));
    beside.remove('g/stolen');
    beside.add('g/renewed', 1);
    await gone;
    await vi.waitFor(async () => expect(await logged()).toEqual(['spBv1.0/g/NDEATH/stolen gone']));
    await other.publishAsync('json/g/other/d', '1', { qos: 1 });
    expect(broker.health().connections).toBe(1);
  });

  it('leaves connections alone while the file of credentials cannot be read', async () => {
    const publisher = await client();
    const file = join(folder, 'credentials.json');
    writeFileSync(file, '[{');
    await vi.waitFor(() => expect(unreadable).toHaveBeenCalled());
    await publisher.publishAsync('json/g/e/d', '1', { qos: 1 });
    rmSync(file);
    symlinkSync(file, file);
    await vi.waitFor(() => expect(unreadable).toHaveBeenCalledTimes(2));
    await publisher.publishAsync('json/g/e/d', '2', { qos: 1 });
  });

  it('counts the subscriptions that a client has, not those it ever made', async () => {
    const node = await client();
    const host = (name: string): string => `spBv1.0/STATE/${name}`;
    for (let i = 0; i < 5; i++) await node.subscribeAsync(host('a'));
    for (let i = 0; i < 5; i++) {
      await node.subscribeAsync(host(`b${i}`));
      await node.unsubscribeAsync(host(`b${i}`));
    }
    await node.subscribeAsync([host('c'), host('d')]);
    await expect(node.subscribeAsync(host('e'))).rejects.toThrow();
    await node.unsubscribeAsync(host('d'));
    await node.subscribeAsync(host('e'));
  });

  it.each([
    'json/g/other/d',
    'spBv1.0/g/NCMD/e',
    '$SYS/x',
    'foreign',
    'spBv1.0/STATE/host',
    'nhip/broker/started',
    'json/g/e/__proto__\u0000',
  ])('refuses a publish to %j and closes the connection', async (topic) => {
    const publisher = await client();
    const gone = ended(publisher);
    publisher.publish(topic, 'x', { qos: 1 });
    await gone;
    expect(await logged()).toEqual([]);
    expect(broker.health().refused).toBe(1);
  });

  it.each([
    '#',
    '+/#',
    'spBv1.0/#',
    'spBv1.0/g/NCMD/other',
    'spBv1.0/g/+/e',
    '$share/a/spBv1.0/g/NCMD/e',
    '$SYS/#',
    'constructor',
    '__proto__',
  ])('refuses a subscription to %j with SUBACK 0x80', async (filter) => {
    const subscriber = await client();
    await expect(subscriber.subscribeAsync(filter)).rejects.toThrow();
    expect(subscriber.connected).toBe(true);
  });

  it('delivers commands to the node that they are for', async () => {
    const node = await client();
    await node.subscribeAsync('spBv1.0/g/NCMD/e', { qos: 1 });
    const message = new Promise<string>((resolve) => node.once('message', (topic, payload) => resolve(`${topic} ${payload}`)));
    broker.sendNodeCommand('g', 'e', Buffer.from('rebirth'));
    expect(await message).toBe('spBv1.0/g/NCMD/e rebirth');
  });

  it('refuses a will on a foreign topic at CONNECT', async () => {
    const will = { topic: 'spBv1.0/g/NDEATH/other', payload: Buffer.from('x'), qos: 1 as const, retain: false };
    expect(await rejected(client('g/e', { will }))).toMatch(/not authorized/i);
  });

  it('binds client ids to credentials: no one is thrown out by a stranger that uses the same id', async () => {
    const victim = await client('g/a', { clientId: 'same' });
    const stranger = await client('g/b', { clientId: 'same' });
    await Promise.all([victim, stranger].map((each, i) => each.publishAsync(`json/g/${'ab'[i]}/d`, '1', { qos: 1 })));
    credentials.add('g/c', 0);
    expect(await rejected(client('g/d', { clientId: 'g/c' }))).toMatch(/not authorized/i);
    expect(victim.connected && stranger.connected).toBe(true);
  });

  it('refuses an empty client id without a clean session [MQTT-3.1.3-8]', async () => {
    const { username, password } = credentials.add('g/e', 0);
    const text = (value: string) => Buffer.concat([Buffer.of(0, value.length), Buffer.from(value)]);
    // protocol MQTT 3.1.1, flags user name + password without clean session, keep alive 10 s
    const body = Buffer.concat([text('MQTT'), Buffer.of(4, 0b1100_0000, 0, 10), text(''), text(username), text(password)]);
    const socket = await rawSocket();
    socket.write(Buffer.concat([Buffer.of(0x10, body.length), body]));
    await closed(socket);
  });
});

describe('broker: packet guard', () => {
  it('closes a connection whose packet announces more than the limit, before collecting it', async () => {
    const publisher = await client();
    const gone = ended(publisher);
    publisher.publish('json/g/e/d', Buffer.alloc(9000), { qos: 1 });
    await gone;
    expect(broker.health().oversized).toBe(1);
    expect(await logged()).toEqual([]);
  });

  it('closes a stranger that announces 256 MB or sends a large CONNECT', async () => {
    for (const head of [Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f), Uint8Array.of(0x10, 0x80, 0x40)]) {
      const socket = await rawSocket();
      socket.write(head);
      await closed(socket);
    }
    expect(broker.health().oversized).toBe(2);
  });

  it('closes a connection that says nothing or something else than CONNECT', async () => {
    const [silent, chatty] = await Promise.all([rawSocket(), rawSocket()]);
    chatty.write('GET / HTTP/1.1\r\n\r\n');
    await Promise.all([closed(silent), closed(chatty)]);
    expect((await client()).connected).toBe(true);
  });

  it('speaks MQTT over WebSocket with the same rules', async () => {
    const { username, password } = credentials.add('g/ws', 0);
    const overWebSocket = await connectAsync(`ws://127.0.0.1:${webSocketPort}`, { username, password, reconnectPeriod: 0 });
    clients.push(overWebSocket);
    await overWebSocket.publishAsync('json/g/ws/d', '1', { qos: 1 });
    expect(await logged()).toEqual(['json/g/ws/d 1']);
    const gone = ended(overWebSocket);
    overWebSocket.publish('json/g/ws/d', Buffer.alloc(9000), { qos: 1 });
    await gone;
  });
});

describe('broker: Aedes work-arounds', () => {
  it('disconnects a subscriber that does not read, and serves the others meanwhile', async () => {
    const { username, password } = credentials.add('g/stuck', 0);
    const stuck = await rawSocket();
    const packets: Packet[] = [];
    const parser = createParser();
    parser.on('packet', (packet) => packets.push(packet));
    stuck.on('data', (data: Buffer) => parser.parse(data));
    stuck.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: 's',
        clean: true,
        keepalive: 0,
        username,
        password: Buffer.from(password),
      }),
    );
    stuck.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'spBv1.0/g/NCMD/stuck', qos: 0 }] }));
    await vi.waitFor(() => expect(packets.map(({ cmd }) => cmd)).toEqual(['connack', 'suback']));
    stuck.pause();
    const healthy = await client('g/healthy');
    const big = Buffer.alloc(1_000_000);
    for (let i = 0; i < 20; i++) broker.sendNodeCommand('g', 'stuck', big);
    await healthy.publishAsync('json/g/healthy/d', '1', { qos: 1 });
    await vi.waitFor(() => expect(broker.health().connections).toBe(1), { timeout: 5000 });
  });

  it('counts sockets that do not log in, until they go', async () => {
    const idle = await rawSocket();
    await vi.waitFor(() => expect(broker.health()).toMatchObject({ pending: 1, connections: 0, crowdedOut: 0 }));
    idle.destroy();
    await vi.waitFor(() => expect(broker.health().pending).toBe(0));
    const logged = await client('g/e');
    await vi.waitFor(() => expect(broker.health()).toMatchObject({ pending: 0, connections: 1 }));
    await logged.endAsync();
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('survives the client id %j', async (clientId) => {
    expect((await client('g/e', { clientId })).connected).toBe(true);
    expect((await client('g/f')).connected).toBe(true);
  });
});

describe('broker: start and stop', () => {
  it('names a taken port in one sentence', async () => {
    const config = brokerConfig.parse({ port });
    const second = createBroker(config, { clock: createNodeEnv(folder).clock, log: silentLog(), logBus, credentials });
    await expect(second.start()).rejects.toThrow(new RegExp(`port ${port} on 127.0.0.1 is in use`));
    await second.stop();
  });

  it('names a taken WebSocket port in one sentence, and keeps none of the others', async () => {
    const config = brokerConfig.parse({ port: 0, webSocketPort });
    const second = createBroker(config, { clock: createNodeEnv(folder).clock, log: silentLog(), logBus, credentials });
    await expect(second.start()).rejects.toThrow(new RegExp(`port ${webSocketPort} on 127.0.0.1 is in use: .*broker.webSocketPort`));
    await second.stop();
  });

  it('tells readers of the log that sessions before it have ended', async () => {
    const [first] = await logBus.read(0, { maxRecords: 1, maxBytes: 1, waitMs: 0 });
    expect(first && decodeLogMessage(first.payload).topic).toBe(brokerStartedTopic);
  });

  it('starts before a full log, and lets clients in when the log knows of the start', async () => {
    let isFull = true;
    const full: LogBus = {
      ...logBus,
      append: (payload) => (isFull ? Promise.reject(new RetryableError('log.quota', 'full')) : logBus.append(payload)),
    };
    const { clock } = createNodeEnv(folder);
    const impatient = { ...clock, sleep: (_: number, signal?: AbortSignal) => clock.sleep(5, signal) };
    const second = createBroker(brokerConfig.parse({ port: 0 }), { clock: impatient, log: silentLog(), logBus: full, credentials });
    const { port: secondPort } = await second.start();
    const { username, password } = credentials.add('g/late', 0);
    const login = () => connectAsync(`mqtt://127.0.0.1:${secondPort}`, { username, password, reconnectPeriod: 0 }, false);
    await expect(login()).rejects.toThrow();
    isFull = false;
    await vi.waitFor(async () => clients.push(await login()), { timeout: 5000 });
    const [, again] = await logBus.read(0, { maxRecords: 2, maxBytes: 1000, waitMs: 0 });
    expect(again && decodeLogMessage(again.payload).topic).toBe(brokerStartedTopic);
    await clients.pop()?.endAsync(true);
    await second.stop();
  });

  it('stops twice', async () => {
    await broker.stop();
    await broker.stop();
  });
});
