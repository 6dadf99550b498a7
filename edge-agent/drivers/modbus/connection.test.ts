import type { Socket } from 'node:net';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { afterEach, describe, expect, it } from 'vitest';
import { type ConnectionHost, createConnectionHost } from '../../host/connection-host.ts';
import { type ModbusWire, registersFrame, startModbusWire, type WireRequest } from '../../testing/modbus-wire.ts';
import { recordingSink } from '../../testing/scripted-driver.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { modbusConfig } from './config.ts';
import { modbus } from './index.ts';

const timing = { connectTimeoutMs: 500, readTimeoutMs: 5000, subscribeTimeoutMs: 5000, graceMs: 3000 };

describe('a Modbus connection in its host', () => {
  let wire: ModbusWire;
  let host: ConnectionHost;
  afterEach(async () => {
    await host.stop();
    await wire.close();
  });

  const start = async (units: readonly number[], answer: (request: WireRequest, socket: Socket) => void): Promise<readonly string[]> => {
    wire = await startModbusWire(answer);
    const config = modbusConfig.parse({
      id: 'gateway',
      driver: 'modbus',
      endpoint: wire.endpoint,
      timeoutMs: 100,
      devices: units.map((unit) => ({ id: `u${unit}`, unit, intervalMs: 50, tags: [{ metric: 'Level', address: 'holding:0:uint16' }] })),
    });
    const clock = createNodeClock();
    const sink = recordingSink(() => 0);
    host = createConnectionHost(
      modbus,
      config,
      sink,
      { clock, random: createSimRandom(1), log: silentLog(), stateDir: '/nonexistent' },
      timing,
    );
    host.start();
    return sink.lines;
  };
  const right = (request: WireRequest, socket: Socket): void => {
    socket.write(registersFrame(request, () => request.unit));
  };
  const requestsTo = (unit: number): number => wire.requests.filter((request) => request.unit === unit).length;

  it('keeps the rate of living units next to a dead one', async () => {
    const lines = await start([1, 2, 3], (request, socket) => {
      if (request.unit !== 2) right(request, socket);
    });
    await waitFor('the dead unit to be noticed', () => lines.some((line) => line.startsWith('0 u2 offline')));
    const before = { living: requestsTo(1), dead: requestsTo(2) };
    await waitFor('twenty more reads of a living unit', () => requestsTo(1) >= before.living + 20);
    expect(requestsTo(2) - before.dead).toBeLessThanOrEqual(1);
    expect(lines.filter((line) => line.includes('offline')).length).toBe(1);
    expect(wire.accepted).toBe(1);
    expect(lines).toContain('0 u1 Level=1');
    expect(lines).toContain('0 u3 Level=3');
  });

  it('comes back after a reset in the middle of a request', async () => {
    let resets = 0;
    const lines = await start([1], (request, socket) => {
      if (wire.requests.length === 5 && resets++ === 0) socket.resetAndDestroy();
      else right(request, socket);
    });
    await waitFor('a second connection', () => wire.accepted === 2 && requestsTo(1) > 8);
    expect(host.health()).toMatchObject({ state: 'connected', counters: { reconnects: 1 } });
    expect(lines[0]).toBe('0 u1 online');
  });

  it('gives up a connection on which nothing is answered, holds only one at a time, and recovers', async () => {
    let hung = true;
    const lines = await start([1], (request, socket) => {
      if (!hung) right(request, socket);
    });
    await waitFor('a third connection', () => wire.accepted === 3, 8000);
    expect(wire.open.size).toBeLessThanOrEqual(1);
    expect(lines).toEqual(['0 u1 offline: unit 1, holding 0: no answer within 100 ms']);
    hung = false;
    await waitFor('the device to answer', () => lines.length === 3, 8000);
    expect(lines.slice(1)).toEqual(['0 u1 online', '0 u1 Level=1']);
  });
});
