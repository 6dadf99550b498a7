import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality } from '@nhip/core/wire/sample';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionLostError, type Driver, type DriverDeps, type Reading } from '../../driver.ts';
import { driverSuite } from '../../testing/driver-suite.ts';
import {
  smallNodeSets,
  startOpcuaServer,
  type TestNode,
  type TestOpcuaServer,
  type TestServerOptions,
} from '../../testing/opcua-server.ts';
import { startTcpProxy } from '../../testing/tcp-proxy.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { opcuaConfig } from './config.ts';
import { opcua } from './index.ts';
import { listCertificates, trust } from './trust.ts';

const plantA = 'urn:plant:a';
const plantB = 'urn:plant:b';
const nodes: readonly TestNode[] = [
  { node: `nsu=${plantA};s=Speed`, dataType: 'Double', value: 12.5 },
  { node: `nsu=${plantA};s=Parts`, dataType: 'Int64', value: [0x20, 1] },
  { node: `nsu=${plantA};s=Mode`, dataType: 'Int32', value: 3 },
  { node: `nsu=${plantA};s=Door`, dataType: 'Boolean', value: true },
  { node: `nsu=${plantA};s=Job`, dataType: 'String', value: 'A-100' },
  { node: `nsu=${plantB};s=Speed`, dataType: 'Double', value: 777_777 },
];
const tags = [
  { metric: 'Speed', node: `nsu=${plantA};s=Speed`, dataType: 'Double', unitName: '1/min' },
  { metric: 'Count/Total', node: `nsu=${plantA};s=Parts`, dataType: 'Int64' },
  { metric: 'State', node: `nsu=${plantA};s=Mode`, dataType: 'String', enum: { 3: 'running' } },
  { metric: 'Alarm/Door', node: `nsu=${plantA};s=Door`, dataType: 'Boolean' },
  { metric: 'Job/Product', node: `nsu=${plantA};s=Job`, dataType: 'String' },
];
const connection = (endpoint: string, all: readonly object[] = tags): Record<string, unknown> => ({
  id: 'cell',
  driver: 'opcua',
  endpoint,
  securityMode: 'None',
  devices: [{ id: 'cnc', intervalMs: 50, tags: all }],
});
const never = new AbortController().signal;

driverSuite({
  plugin: opcua,
  startPeer: async () => {
    const server = await startOpcuaServer({ namespaces: [plantA, plantB], nodes, nodeSets: smallNodeSets() });
    return { config: connection(server.endpoint), stop: server.stop };
  },
  atPort: (config, port) => ({ ...config, endpoint: `opc.tcp://127.0.0.1:${port}` }),
});

describe('the OPC UA driver', () => {
  let deps: DriverDeps;
  let folder: string;
  let server: TestOpcuaServer;
  const open: { close(): Promise<void> }[] = [];
  const start = (options: Partial<TestServerOptions> = {}): Promise<TestOpcuaServer> =>
    startOpcuaServer({ namespaces: [plantA, plantB], nodes, pkiFolder: join(folder, 'server'), users: { anna: 'right' }, ...options });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-test-'));
    deps = { clock: createNodeClock(), random: createSimRandom(1), log: silentLog(), stateDir: join(folder, 'agent') };
    server = await start();
  }, 60_000);
  afterAll(async () => {
    for (const each of open) await each.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const make = async (config: Record<string, unknown>): Promise<Driver> => (await opcua.load()).create(opcuaConfig.parse(config), deps);

  const follow = async (config: Record<string, unknown>): Promise<Followed> => {
    const driver = await make(config);
    const followed: Followed = {
      driver,
      readings: [],
      lost: [],
      last: (metric) => followed.readings.findLast((reading) => reading.metric === metric),
    };
    open.push(driver);
    await driver.connect(never);
    await driver.subscribe?.(
      (_, readings) => followed.readings.push(...readings),
      (error) => followed.lost.push(error),
      never,
    );
    return followed;
  };

  it('delivers changes with their source time and status', async () => {
    const { last, driver } = await follow(connection(server.endpoint));
    await waitFor('the first values', () => last('Job/Product') !== undefined && last('Count/Total') !== undefined);
    expect(last('State')).toMatchObject({ value: 'running', quality: quality.good });
    expect(last('Count/Total')).toMatchObject({ value: 0x20 * 2 ** 32 + 1 });
    server.set(`nsu=${plantA};s=Speed`, 99);
    await waitFor('the changed value', () => last('Speed')?.value === 99);
    server.set(`nsu=${plantA};s=Mode`, 4);
    await waitFor('a number that the enum does not list', () => last('State')?.quality === quality.bad);
    server.setStatus(`nsu=${plantA};s=Speed`, 'UncertainLastUsableValue', new Date(1_700_000_000_000));
    await waitFor('the uncertain value', () => last('Speed')?.quality === quality.stale);
    expect(last('Speed')).toMatchObject({ value: 99, timestampMs: 1_700_000_000_000 });
    server.setStatus(`nsu=${plantA};s=Speed`, 'BadSensorFailure');
    await waitFor('the bad value', () => last('Speed')?.quality === quality.bad);
    expect(last('Speed')?.value).toBeNull();
    server.set(`nsu=${plantA};s=Speed`, 12.5);
    await driver.close();
  });

  it('reports nodes that are not there, or of another type, as bad, and the others as they are', async () => {
    const { last, driver } = await follow(
      connection(server.endpoint, [
        ...tags,
        { metric: 'No node', node: `nsu=${plantA};s=Nothing`, dataType: 'Double' },
        { metric: 'No namespace', node: 'nsu=urn:elsewhere;s=Speed', dataType: 'Double' },
        { metric: 'Wrong type', node: `nsu=${plantA};s=Job`, dataType: 'Double' },
        { metric: 'Too large', node: `nsu=${plantB};s=Speed`, dataType: 'Int16' },
        { metric: 'Server time', node: 'i=2258', dataType: 'DateTime' },
      ]),
    );
    await waitFor('all values', () => last('Server time') !== undefined && last('Too large') !== undefined && last('Speed') !== undefined);
    for (const metric of ['No node', 'No namespace', 'Wrong type', 'Too large'])
      expect(last(metric), metric).toMatchObject({ value: null, quality: quality.bad });
    expect(last('Speed')).toMatchObject({ value: 12.5, quality: quality.good });
    expect(Math.abs((last('Server time')?.value as number) - Date.now())).toBeLessThan(60_000);
    await driver.close();
  });

  it('creates items in chunks that the server accepts', async () => {
    const many = Array.from({ length: 230 }, (_, i) => ({ node: `nsu=${plantA};s=n${i}`, dataType: 'Int32' as const, value: i }));
    const strict = await start({ namespaces: [plantA], nodes: many, maxMonitoredItemsPerCall: 50 });
    const { last, driver } = await follow(
      connection(
        strict.endpoint,
        many.map(({ node }, i) => ({ metric: `m${i}`, node, dataType: 'Int32' })),
      ),
    );
    await waitFor('all values', () => many.every((_, i) => last(`m${i}`) !== undefined));
    expect(many.map((_, i) => last(`m${i}`)?.value)).toEqual(many.map((_, i) => i));
    await driver.close();
    await strict.stop();
  });

  it('never delivers another node after a restart with other namespace numbers', async () => {
    const first = await start();
    const before = await follow(connection(first.endpoint));
    await waitFor('the first value', () => before.last('Speed')?.value === 12.5);
    await first.stop();
    await waitFor('the loss', () => before.lost.length > 0);
    expect(before.lost).toEqual([expect.any(ConnectionLostError)]);
    const second = await start({ namespaces: [plantB, plantA], port: first.port });
    const after = await follow(connection(second.endpoint));
    await waitFor('the first value again', () => after.last('Speed') !== undefined);
    expect(after.last('Speed')?.value).toBe(12.5);
    // The lost driver is still open here, as it is in the moment before a host closes it.
    const known = before.readings.length;
    second.set(`nsu=${plantA};s=Speed`, 13);
    await waitFor('the change', () => after.last('Speed')?.value === 13);
    expect(before.readings.length).toBe(known);
    expect(before.readings.some((reading) => reading.value === 777_777)).toBe(false);
    await before.driver.close();
    await after.driver.close();
    await second.stop();
  });

  it('notices a server that goes silent without closing, and leaves no timer behind that keeps the process alive', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;
    const timersBefore = timers();
    const proxy = await startTcpProxy(server.port);
    const clock = createSimClock();
    const silentDeps = { ...deps, clock };
    const driver = (await opcua.load()).create(opcuaConfig.parse(connection(`opc.tcp://127.0.0.1:${proxy.port}`)), silentDeps);
    open.push(driver);
    const readings: Reading[] = [];
    const lost: Error[] = [];
    await driver.connect(never);
    await driver.subscribe?.(
      (_, all) => readings.push(...all),
      (error) => lost.push(error),
      never,
    );
    await waitFor('the first values', () => readings.length >= tags.length);
    proxy.hang();
    await clock.advance(9_000);
    expect(lost).toEqual([]);
    await clock.advance(1_000);
    expect(lost).toEqual([expect.any(ConnectionLostError)]);
    expect(lost[0]?.message).toContain('no sign of life');
    const before = performance.now();
    await driver.close();
    expect(performance.now() - before).toBeLessThan(2_000);
    await proxy.close();
    // The server is in this process too and keeps two for the session that it still has; the client has five for each lost session.
    await waitFor('the timers of the client to end', () => timers() <= timersBefore + 2);
  });

  it('leaves no subscription behind', async () => {
    const before = server.subscriptions();
    const { driver, last } = await follow(connection(server.endpoint));
    await waitFor('the first value', () => last('Speed') !== undefined);
    expect(server.subscriptions()).toBe(before + 1);
    await driver.close();
    await waitFor('the subscription to end', () => server.subscriptions() === before);
  });

  it('encrypts, refuses a server that it does not trust and says how to trust it', async () => {
    const config = { ...connection(server.endpoint), securityMode: 'SignAndEncrypt', username: 'anna', password: 'right' };
    const stranger = await make(config);
    await expect(stranger.connect(never)).rejects.toThrow('waits for a decision');
    await stranger.close();
    const [waiting] = await listCertificates(deps.stateDir);
    await trust(deps.stateDir, waiting?.thumbprintSha256 ?? '');
    const { last, driver } = await follow(config);
    await waitFor('the first value', () => last('Speed')?.value === 12.5);
    await driver.close();
    const impostor = await make({ ...config, password: 'wrong' });
    const error = (await impostor.connect(never).catch((cause: unknown) => cause)) as Error;
    expect(error.message).toContain('BadUserAccessDenied');
    expect(JSON.stringify([error, error.cause, error.stack])).not.toContain('wrong');
    await impostor.close();
  });
});

interface Followed {
  readonly driver: Driver;
  readonly readings: Reading[];
  readonly lost: Error[];
  last(metric: string): Reading | undefined;
}

describe('the OPC UA config', () => {
  const problems = (change: object): readonly string[] =>
    opcuaConfig
      .safeParse({ ...connection('opc.tcp://plc:4840'), ...change })
      .error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  const withTag = (tag: object): object => ({ devices: [{ id: 'd', tags: [{ metric: 'm', dataType: 'Double', ...tag }] }] });

  it('says what is wrong and where', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ endpoint: 'http://plc' })).toEqual(['endpoint: must be opc.tcp://host:port, e.g. opc.tcp://192.168.1.30:4840']);
    expect(problems({ securityMode: undefined }).length).toBe(1);
    expect(problems({ username: 'anna' })).toEqual(['username: username and password (or passwordFile) belong together']);
    expect(problems({ securityPolicy: 'Basic256Sha256' })).toEqual(['securityPolicy: has no meaning with securityMode None']);
    expect(problems(withTag({ node: 'ns=2;s=Speed' }))[0]).toContain('write nsu=<namespace URI>; instead of ns=<index>;');
    expect(problems(withTag({ node: 's=Speed' }))[0]).toContain('the namespace URI is missing');
    expect(problems(withTag({ node: 'Speed' }))[0]).toContain('write it as nsu=');
    expect(problems(withTag({ node: 'i=2258', scale: 2, dataType: 'Int32' }))).toEqual([
      'devices.0.tags.0.dataType: must be Float or Double when scale or offset is given',
    ]);
    expect(problems(withTag({ node: 'i=2258', enum: { 0: 'off' } }))).toEqual([
      'devices.0.tags.0.dataType: must be String when enum is given',
    ]);
  });
});
