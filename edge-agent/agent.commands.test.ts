import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Log, silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from './agent.ts';
import { agentConfig } from './config.ts';
import { type RecordingBroker, startRecordingBroker } from './session/testing/recording-broker.ts';
import { type ModbusSerialPeer, startModbusSerialPeer } from './testing/modbus-serial-peer.ts';
import { waitFor } from './testing/wait-for.ts';

let folder: string;
let broker: RecordingBroker;
let plc: ModbusSerialPeer;
let agent: Agent | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-commands-'));
  broker = await startRecordingBroker();
  plc = await startModbusSerialPeer(
    1,
    new Map([
      [0, 5],
      [1, 6],
    ]),
  );
});
afterEach(async () => {
  await agent?.stop();
  agent = undefined;
  await Promise.all([broker.close(), plc.stop()]);
  rmSync(folder, { recursive: true });
});

async function start(commands: object, log: Log = silentLog()): Promise<void> {
  const tags = [
    { metric: 'Setpoint', address: 'holding:0:uint16', writable: true, max: 1000 },
    { metric: 'Level', address: 'holding:1:uint16' },
  ];
  const connection = {
    id: 'plc',
    driver: 'modbus',
    endpoint: `tcp://127.0.0.1:${plc.port}`,
    devices: [{ id: 'press', unit: 1, intervalMs: 50, tags }],
  };
  const config = agentConfig.parse({
    group: 'g',
    edge: 'e',
    mqtt: { url: broker.url, password: 'x' },
    commands,
    connections: [connection],
  });
  agent = createAgent(config, 'test', { env: createNodeEnv(folder), log, dataDir: folder, onFatal: () => undefined });
  await agent.start();
  await waitFor('data', () => broker.published('DDATA').length > 0);
}

async function command(...values: readonly (readonly [name: string, value: number])[]): Promise<void> {
  await publish({ retain: false }, values);
}

async function publish({ retain }: { retain: boolean }, values: readonly (readonly [name: string, value: number])[]): Promise<void> {
  const host = await connectAsync(broker.url);
  const metrics = values.map(([name, value]) => ({ name, timestampMs: Date.now(), dataType: dataType.UInt16, value }));
  await host.publishAsync('spBv1.0/g/DCMD/e/press', Buffer.from(encodePayload({ timestampMs: Date.now(), metrics })), {
    qos: 1,
    retain,
  });
  await host.endAsync();
}

const audit = (name = 'audit.ndjson'): readonly object[] => {
  const file = join(folder, name);
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object)
    : [];
};

describe('commands from a host', () => {
  it('write what is writable, report what the machine has then, and leave a line in the audit trail', async () => {
    await start({ enabled: true });
    await command(['Level', 99], ['Setpoint', 77]);
    await waitFor('the write', () => plc.writes.length > 0);
    expect(plc.writes).toEqual([{ address: 0, value: 77 }]);
    await waitFor('the line', () => audit().length > 0);
    expect(audit()).toEqual([
      {
        time: expect.any(String),
        author: 'command',
        device: 'press',
        metric: 'Setpoint',
        value: 77,
        outcome: 'written',
        readBack: 77,
        quality: 192,
      },
    ]);
    const reported = (): boolean => broker.published('DDATA').some(({ payload }) => payload.metrics.some(({ value }) => value === 77));
    await waitFor('the new value', reported);
    expect(plc.registers.get(1)).toBe(6);
  });

  it('leave a line also when they are refused, but not among those that were obeyed, and never as accepted', async () => {
    const said: unknown[] = [];
    await start({ enabled: true }, Object.assign(silentLog(), { info: (_: object, text: string) => said.push(text) }));
    await command(['Setpoint', 1001], ['Level', 99], ['Nothing', 1]);
    for (let i = 0; i < 10; i++) await command(['Setpoint', 1002]);
    await command(['Setpoint', 77]);
    await waitFor('the write', () => audit().length > 0);
    expect(said.filter((text) => text === 'A command was accepted')).toHaveLength(1);
    await agent?.stop();
    agent = undefined;
    expect(audit()).toMatchObject([{ value: 77, outcome: 'written' }]);
    const about = { time: expect.any(String), author: 'command', device: 'press', outcome: 'refused' };
    expect(audit('audit-refused.ndjson')).toEqual([
      { ...about, metric: 'Setpoint', value: 1001, reason: '1001 is above 1000, the most that may be written' },
      { ...about, metric: 'Level', reason: 'the metric is not writable' },
      { ...about, metric: 'Nothing', reason: 'the device has no such metric' },
      { ...about, metric: 'Setpoint', value: 1002, reason: expect.stringContaining('1002 is above'), count: 10, since: expect.any(String) },
    ]);
    expect(plc.writes).toEqual([{ address: 0, value: 77 }]);
  });

  it('are refused when they are retained: each connect would bring the old one again', async () => {
    const refused: unknown[] = [];
    await publish({ retain: true }, [['Setpoint', 77]]);
    await start({ enabled: true }, Object.assign(silentLog(), { warn: (fields: { reason?: unknown }) => refused.push(fields.reason) }));
    await waitFor('the refusal', () => refused.length > 0);
    expect(refused).toEqual(['it is retained: old']);
    await command(['Setpoint', 78]);
    await waitFor('the write', () => plc.writes.length > 0);
    expect(plc.writes).toEqual([{ address: 0, value: 78 }]);
  });

  it('are not even listened to unless the configuration says so', async () => {
    await start({});
    const topics = broker.seen.flatMap((seen) => (seen.kind === 'subscribe' ? seen.topics : []));
    expect(topics.some((topic) => topic.includes('DCMD'))).toBe(false);
    expect(topics.some((topic) => topic.includes('NCMD'))).toBe(true);
    await command(['Setpoint', 77]);
    const polls = (): number => agent?.health().connections[0]?.counters.polls ?? 0;
    const before = polls();
    await waitFor('more polls', () => polls() > before + 2);
    expect(plc.writes).toEqual([]);
  });
});
