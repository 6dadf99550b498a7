import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { createDecoder } from '@nhip/core/telemetry/decoder';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent, mqttPassword, resolveConnections } from './agent.ts';
import { agentConfig } from './config.ts';
import { type Published, type RecordingBroker, startRecordingBroker } from './session/testing/recording-broker.ts';
import { waitFor } from './testing/wait-for.ts';

let folder: string;
let broker: RecordingBroker;
const agents: Agent[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-agent-'));
  broker = await startRecordingBroker();
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  await broker.close();
  rmSync(folder, { recursive: true });
});

const device = { id: 'press', intervalMs: 10, tags: [{ metric: 'N', shape: 'counter', periodMs: 2 }] };
const connection = { id: 'sim', driver: 'simulated', devices: [device] };

function config(overrides: object = {}) {
  return agentConfig.parse({
    group: 'g',
    edge: 'e',
    mqtt: { url: broker.url, password: 'x' },
    outbox: { commitDelayMs: 0 },
    connections: [connection],
    ...overrides,
  });
}

async function start(): Promise<Agent> {
  const agent = createAgent(config(), 'test', { env: createNodeEnv(folder), log: silentLog(), dataDir: folder, onFatal: () => undefined });
  agents.push(agent);
  await agent.start();
  return agent;
}

/** What ingest would read from the messages: samples of metric N by their number, and whether they were historical. */
function samplesOf(messages: readonly Published[]) {
  const series = new SeriesTable();
  const decoder = createDecoder(series);
  const samples: { readonly seq: number; readonly value: unknown; readonly isHistorical: boolean }[] = [];
  messages.forEach(({ topic, payload }, index) => {
    const batch = new SampleBatch(series);
    const message = { receivedMs: Date.now(), sender: 'g/e', topic, payload: encodePayload(payload) };
    const { identity, rejects } = decoder.decode({ index, payload: encodeLogMessage(message) }, batch);
    expect(rejects).toEqual([]);
    if (identity === undefined) return;
    for (let i = 0; i < batch.length; i++) {
      samples.push({ seq: identity.seq + i, value: batch.value(i), isHistorical: batch.historical[i] === 1 });
    }
  });
  return samples;
}

describe('the edge agent', () => {
  it('tck-id-payloads-dbirth-order: NBIRTH, DBIRTH, then DATA; numbers without a gap', async () => {
    const agent = await start();
    await waitFor('samples', () => broker.published('DDATA').length >= 5);
    const types = broker.published().map(({ type }) => type);
    expect(types[0]).toBe('NBIRTH');
    expect(types.indexOf('DBIRTH')).toBeLessThan(types.indexOf('DDATA'));
    const seqs = broker.published().map(({ payload }) => payload.seq);
    expect(seqs).toEqual(seqs.map((_, i) => i % 256));
    const samples = samplesOf(broker.published());
    expect([...new Set(samples.map(({ seq }) => seq))].sort((a, b) => a - b)).toEqual(samples.map((_, i) => i));
    await agent.stop();
    await agent.stop();
    expect(broker.published().at(-1)?.type).toBe('NDEATH');
    expect(agent.health()).toMatchObject({ lost: 0, session: { isOnline: false, connects: 1 } });
  });

  it('keeps recording while the broker is away; then what is new comes live and the backlog as historical, nothing is missing', async () => {
    const agent = await start();
    await waitFor('samples', () => broker.published('DDATA').length >= 3);
    const { port } = broker;
    const before = [...broker.published()];
    await broker.close();
    await waitFor('the end of the session', () => !agent.health().session.isOnline);
    const recorded = agent.health().recorded;
    await waitFor('a backlog', () => agent.health().recorded >= recorded + 20);
    broker = await startRecordingBroker(port);
    await waitFor('the backlog is sent', () => agent.health().session.isOnline && agent.health().pendingRecords <= 2, 15_000);
    await waitFor('live samples', () => samplesOf(broker.published()).some(({ isHistorical }) => !isHistorical));
    await agent.stop();
    const after = samplesOf(broker.published());
    expect(after.filter(({ isHistorical }) => isHistorical).length).toBeGreaterThanOrEqual(20);
    const bySeq = new Map<number, unknown>();
    for (const { seq, value } of [...samplesOf(before), ...after]) {
      if (bySeq.has(seq)) expect(value).toBe(bySeq.get(seq));
      bySeq.set(seq, value);
    }
    const newest = Math.max(...bySeq.keys());
    expect(bySeq.size).toBe(newest + 1);
  });

  it('sends what a stopped agent left behind, with its numbers', async () => {
    const first = await start();
    await waitFor('samples', () => broker.published('DDATA').length >= 3);
    const { port } = broker;
    const before = [...broker.published()];
    await broker.close();
    const recorded = first.health().recorded;
    await waitFor('a backlog', () => first.health().recorded >= recorded + 10);
    await first.stop();
    const total = first.health().recorded;
    broker = await startRecordingBroker(port);
    await start();
    const seqs = () => new Set([...samplesOf(before), ...samplesOf(broker.published())].map(({ seq }) => seq));
    await waitFor('everything', () => seqs().size >= total + 1);
    const all = seqs();
    for (let seq = 0; seq < total; seq++) expect(all.has(seq)).toBe(true);
  });
});

describe('the config of the agent', () => {
  it('is refused with all problems of all connections at once', () => {
    const problems = problemsOf(() =>
      checkConfig(
        agentConfig,
        {
          group: 'g g',
          connections: [connection, { ...connection, driver: 'nonsense' }, { ...connection, devices: [{ ...device, tags: [], unti: 1 }] }],
        },
        'edge.yaml',
      ),
    );
    expect(problems).toEqual([
      expect.stringContaining('group: '),
      'edge: is missing; expected string',
      'mqtt: is missing; expected object',
      expect.stringContaining('connections[1]: "nonsense" is not a driver'),
      expect.stringContaining('connections[2].devices[0].tags: '),
      expect.stringContaining('connections[2].devices[0].unti: unknown key'),
    ]);
  });

  it('is refused when ids are there twice or cannot stand in a topic', () => {
    const bad = config({ connections: [{ ...connection, devices: [{ ...device, id: 'Máy 1' }] }, connection] });
    expect(problemsOf(() => resolveConnections(bad, 'edge.yaml'))).toEqual([
      expect.stringContaining('connections[0].devices[0].id: device "Máy 1" cannot stand in a topic'),
      'connections[1].id: the connection "sim" is there twice, also at connections[0].id',
    ]);
  });

  it('says which password or CA file is missing or empty, before anything is opened', () => {
    const passwordFile = join(folder, 'password');
    const mqtt = { url: broker.url, passwordFile };
    expect(() => mqttPassword(config({ mqtt: { url: broker.url } }), 'edge.yaml')).toThrow(/password or passwordFile is missing/);
    expect(() => mqttPassword(config({ mqtt }), 'edge.yaml')).toThrow(/cannot be read \(ENOENT\)/);
    writeFileSync(passwordFile, '\n');
    expect(() => mqttPassword(config({ mqtt }), 'edge.yaml')).toThrow(/first line of .* is empty/);
    writeFileSync(passwordFile, ' secret \nmore\n');
    expect(mqttPassword(config({ mqtt }), 'edge.yaml')).toBe('secret');
    const deps = { env: createNodeEnv(folder), log: silentLog(), dataDir: folder, onFatal: () => undefined };
    const caFile = join(folder, 'ca.pem');
    expect(() => createAgent(config({ mqtt: { ...mqtt, caFile } }), 'edge.yaml', deps)).toThrow(ConfigError);
  });

  function problemsOf(check: () => unknown): readonly string[] {
    try {
      check();
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems;
    }
  }
});
