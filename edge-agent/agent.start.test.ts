import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from './agent.ts';
import { agentConfig } from './config.ts';
import { type RecordingBroker, startRecordingBroker } from './session/testing/recording-broker.ts';
import { closedPort } from './testing/listen-locally.ts';
import { type ModbusWire, registersFrame, startModbusWire, type WireRequest } from './testing/modbus-wire.ts';
import { waitFor } from './testing/wait-for.ts';

let folder: string;
let broker: RecordingBroker;
let plc: ModbusWire;
let agent: Agent | undefined;
/** Answers that the PLC holds back while `isSlow`. */
let held: (() => void)[];
let isSlow: boolean;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-start-'));
  broker = await startRecordingBroker();
  held = [];
  isSlow = true;
  plc = await startModbusWire((request: WireRequest, socket: Socket) => {
    const answer = (): void => void socket.write(registersFrame(request, () => 7));
    if (isSlow) held.push(answer);
    else answer();
  });
});
afterEach(async () => {
  await agent?.stop();
  await Promise.all([broker.close(), plc.close()]);
  rmSync(folder, { recursive: true });
});

async function start(url: string): Promise<Agent> {
  const device = { id: 'press', unit: 1, intervalMs: 50, tags: [{ metric: 'N', address: 'holding:0:uint16' }] };
  const connections = [{ id: 'plc', driver: 'modbus', endpoint: plc.endpoint, timeoutMs: 60_000, devices: [device] }];
  const config = agentConfig.parse({ group: 'g', edge: 'e', mqtt: { url, password: 'x' }, outbox: { commitDelayMs: 0 }, connections });
  agent = createAgent(config, 'test', { env: createNodeEnv(folder), log: silentLog(), dataDir: folder, onFatal: () => undefined });
  await agent.start();
  return agent;
}

const types = (): readonly string[] => broker.published().map(({ type }) => type);

describe('a device at the start of the agent', () => {
  it('is born when it answers, not dead before that', async () => {
    await start(broker.url);
    await waitFor('the birth of the node, and the first question', () => held.length === 1 && types().includes('NBIRTH'));
    isSlow = false;
    for (const answer of held) answer();
    await waitFor('its data', () => types().includes('DDATA'));
    expect(
      types()
        .filter((type) => type.startsWith('D'))
        .slice(0, 2),
    ).toEqual(['DBIRTH', 'DDATA']);
    expect(types()).not.toContain('DDEATH');
    expect(types().filter((type) => type === 'DBIRTH')).toHaveLength(1);
  });

  it('is born before what an earlier run kept of it is sent', async () => {
    isSlow = false;
    const before = await start(`mqtt://127.0.0.1:${await closedPort()}`);
    await waitFor('a record', () => before.health().pendingRecords > 0);
    await before.stop();
    isSlow = true;
    await start(broker.url);
    await waitFor('the backlog', () => types().includes('DDATA'));
    expect(
      types()
        .filter((type) => type.startsWith('D'))
        .slice(0, 2),
    ).toEqual(['DBIRTH', 'DDATA']);
    expect(types()).not.toContain('DDEATH');
  });
});
