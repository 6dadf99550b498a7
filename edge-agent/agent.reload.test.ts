import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { outboxIdentityMetric } from '@nhip/core/wire/outbox-identity';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from './agent.ts';
import { type AgentConfig, agentConfig } from './config.ts';
import { type Published, type RecordingBroker, startRecordingBroker } from './session/testing/recording-broker.ts';
import { waitFor } from './testing/wait-for.ts';

let folder: string;
let broker: RecordingBroker;
let agent: Agent | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-reload-'));
  broker = await startRecordingBroker();
});
afterEach(async () => {
  await agent?.stop();
  agent = undefined;
  await broker.close();
  rmSync(folder, { recursive: true });
});

const counter = (metric: string) => ({ metric, shape: 'counter', periodMs: 2 });
const device = (id: string, ...metrics: string[]) => ({ id, intervalMs: 20, tags: metrics.map(counter) });
const connection = (id: string, ...devices: object[]) => ({ id, driver: 'simulated', devices });

function config(connections: readonly object[], overrides: object = {}): AgentConfig {
  return agentConfig.parse({
    group: 'g',
    edge: 'e',
    mqtt: { url: broker.url, password: 'x' },
    outbox: { commitDelayMs: 0 },
    connections,
    ...overrides,
  });
}

async function start(connections: readonly object[]): Promise<Agent> {
  const started = createAgent(config(connections), 'test', {
    env: createNodeEnv(folder),
    log: silentLog(),
    dataDir: folder,
    onFatal: () => undefined,
  });
  agent = started;
  await started.start();
  await waitFor('data', () => broker.published('DDATA').length >= 3);
  return started;
}

const topicsOf = (type: string, deviceId: string): readonly Published[] =>
  broker.published().filter((message) => message.type === type && message.topic.endsWith(`/${deviceId}`));

/** Aliases by name, of a DBIRTH. */
function aliases(birth: Published | undefined): Readonly<Record<string, number>> {
  const metrics = birth?.payload.metrics ?? [];
  return Object.fromEntries(
    metrics.flatMap(({ name, alias }) => (alias === undefined || name === outboxIdentityMetric ? [] : [[name ?? '', alias]])),
  );
}

function polls(of: Agent, id: string) {
  const found = of.health().connections.find((each) => each.id === id);
  return found?.counters ?? { polls: 0, overruns: 0, failures: 0, reconnects: 0, samples: 0 };
}

describe('reloading the configuration of a running agent', () => {
  it('lets what is the same go on: no pause, no new connection, no birth', async () => {
    const running = await start([connection('a', device('A', 'N')), connection('b', device('B', 'N'))]);
    const before = polls(running, 'a');
    const result = await running.reload(config([connection('b', device('B', 'N', 'M')), connection('a', device('A', 'N'))]), 'test');
    expect(result).toEqual({ same: ['a'], changed: ['b'], added: [], removed: [], needRestart: [] });
    await waitFor('more polls', () => polls(running, 'a').polls >= before.polls + 5);
    expect(polls(running, 'a')).toMatchObject({ reconnects: 0, failures: 0 });
    expect(topicsOf('DBIRTH', 'A').length).toBe(1);
    expect(topicsOf('DDEATH', 'A')).toEqual([]);
  });

  it('tells new metrics in a birth before their data; the old ones keep their alias and value', async () => {
    const running = await start([connection('a', device('A', 'N', 'Old'))]);
    const first = topicsOf('DBIRTH', 'A').at(-1);
    await running.reload(config([connection('a', device('A', 'N', 'New'))]), 'test');
    const withNew = (): Published | undefined => topicsOf('DBIRTH', 'A').find((message) => Object.hasOwn(aliases(message), 'New'));
    await waitFor('the birth', () => withNew() !== undefined);
    const birth = withNew();
    expect(Object.keys(aliases(birth))).toEqual(['N', 'New']);
    expect(aliases(birth).N).toBe(aliases(first).N);
    expect(Object.values(aliases(first))).not.toContain(aliases(birth).New);
    expect(birth?.payload.metrics.find(({ name }) => name === 'N')?.value).not.toBeNull();
    const isNewData = ({ payload }: Published): boolean => payload.metrics.some(({ alias }) => alias === aliases(birth).New);
    await waitFor('data of the new metric', () => topicsOf('DDATA', 'A').some(isNewData));
    const messages = broker.published();
    expect(messages.findIndex((message) => message.type === 'DDATA' && isNewData(message))).toBeGreaterThan(
      messages.indexOf(birth as Published),
    );
  });

  it('says goodbye for devices that are gone and births those that are new; sequence numbers go on', async () => {
    const running = await start([connection('a', device('A', 'N'), device('B', 'N'))]);
    await waitFor('both', () => topicsOf('DDATA', 'A').length > 0 && topicsOf('DDATA', 'B').length > 0);
    await running.reload(config([connection('a', device('A', 'N')), connection('c', device('C', 'N'))]), 'test');
    await waitFor('the new one', () => topicsOf('DDATA', 'C').length >= 3);
    expect(topicsOf('DDEATH', 'B').length).toBeGreaterThanOrEqual(1);
    // What the outbox still had of B may have asked for new births: numbers begin anew with each NBIRTH, and only there.
    let next = 0;
    for (const { type, payload } of broker.published()) {
      if (type === 'NBIRTH') next = 0;
      expect(payload.seq).toBe(next);
      next = (next + 1) % 256;
    }
    expect(running.health().connections.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(running.health()).toMatchObject({ lost: 0, session: { connects: 1 } });
  });

  it('refuses a configuration that cannot be used, and goes on', async () => {
    const running = await start([connection('a', device('A', 'N'))]);
    const twice = config([connection('a', device('A', 'N')), connection('a', device('B', 'N'))]);
    await expect(running.reload(twice, 'test')).rejects.toThrow(ConfigError);
    const before = polls(running, 'a').polls;
    await waitFor('more polls', () => polls(running, 'a').polls > before + 3);
    expect(running.health().connections.length).toBe(1);
  });

  it('keeps settings that need a restart as they are, and names them', async () => {
    const connections = [connection('a', device('A', 'N'))];
    const running = await start(connections);
    const result = await running.reload(config(connections, { edge: 'other', outbox: { maxBytes: 8_000_000 } }), 'test');
    expect(result.needRestart).toEqual(['edge', 'outbox']);
    const from = broker.published().length;
    await waitFor('more data', () => broker.published().length > from + 3);
    expect(broker.published().every(({ topic }) => topic.includes('/e'))).toBe(true);
  });

  it('goes through many reloads that overlap, to the last one', async () => {
    const running = await start([connection('a', device('A', 'N'))]);
    const wanted = (i: number) =>
      config([connection('a', device('A', 'N')), ...(i % 2 === 0 ? [] : [connection('b', device('B', `M${i}`))])]);
    await Promise.all(Array.from({ length: 10 }, (_, i) => running.reload(wanted(i), 'test')));
    await waitFor('the last', () => Object.hasOwn(aliases(topicsOf('DBIRTH', 'B').at(-1)), 'M9'));
    expect(running.health().connections.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(polls(running, 'a').reconnects).toBe(0);
  });
});
