import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import modbusSerial from 'modbus-serial';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulationConfig } from './config.ts';
import { hoaLac } from './plants/hoa-lac.ts';
import type { PlantSnapshot } from './plants/plant.ts';
import { readSnapshot } from './plants/snapshot-file.ts';
import { createSimulation, type Simulation } from './simulation.ts';

let dataDir: string;
const running: Simulation[] = [];

function simulate(ports: { modbusPort: number } = { modbusPort: 0 }): Simulation {
  const config = simulationConfig.parse({ dataDir, opcuaPort: 0, seed: 3, speed: 60, ...ports });
  const { clock, disk } = createNodeEnv(dataDir);
  const simulation = createSimulation(hoaLac, config, { clock, disk, log: silentLog() });
  running.push(simulation);
  return simulation;
}

async function saved(): Promise<PlantSnapshot | undefined> {
  return readSnapshot(createNodeEnv(dataDir).disk, silentLog());
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nhip-simulation-'));
});

afterEach(async () => {
  for (const simulation of running.splice(0)) await simulation.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('the simulation', () => {
  it('serves the plant, steps it, and continues from its snapshot after a restart', async () => {
    const first = simulate();
    await first.start();
    expect(first.ports().opcua).toBeGreaterThan(0);
    const client = new modbusSerial.default();
    await client.connectTCP('127.0.0.1', { port: first.ports().modbus });
    client.setID(4);
    const hours = (await client.readHoldingRegisters(10, 4)).data;
    expect(hours).toHaveLength(4);
    first.modbus.setRegister(4, 'holding', 0, 9);
    expect((await client.readHoldingRegisters(0, 1)).data).toEqual([9]);
    client.destroy(() => {});
    expect(first.health()).toMatchObject({ isRunning: true, machines: 15 });
    await first.stop();
    await first.stop();
    const end = await saved();
    expect(end?.plant).toBe('hoa-lac');

    const second = simulate();
    await second.start();
    await second.stop();
    const [before, after] = [energyOf(end), energyOf(await saved())];
    expect(after).toBeGreaterThanOrEqual(before);
    expect(after - before).toBeLessThan(20);
  });

  it('knows no snapshot when the file is damaged', async () => {
    await writeFile(join(dataDir, 'plant.json'), '{"version":1,"pl');
    expect(await saved()).toBeUndefined();
  });

  it('tells that a port is taken and can be stopped then', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const simulation = simulate({ modbusPort: port });
    await expect(simulation.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await simulation.stop();
    other.close();
  });
});

function energyOf(snapshot: PlantSnapshot | undefined): number {
  const meter = snapshot?.machines['CT-01'] as { readonly energyKwh: number } | undefined;
  return meter?.energyKwh ?? 0;
}
