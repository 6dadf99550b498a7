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
import { createPlant, type PlantSnapshot } from './plants/plant.ts';
import { readSnapshot, writeSnapshot } from './plants/snapshot-file.ts';
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
  it('continues from its snapshot, serves the plant, steps it, and leaves a snapshot at the end', async () => {
    const plant = createPlant(hoaLac, 8);
    plant.step(60_000, Date.now());
    await writeSnapshot(createNodeEnv(dataDir).disk, plant.snapshot());

    const simulation = simulate();
    await simulation.start();
    expect(simulation.ports().opcua).toBeGreaterThan(0);
    expect(simulation.health()).toMatchObject({ isRunning: true, machines: 16 });
    const client = new modbusSerial.default();
    await client.connectTCP('127.0.0.1', { port: simulation.ports().modbus });
    client.setID(10);
    const firstKwh = (await client.readInputRegisters(0x48, 2)).buffer.readFloatBE(0);
    expect(firstKwh).toBeGreaterThanOrEqual(Math.fround(energyOf(plant.snapshot())) - 0.1);
    client.setID(4);
    simulation.modbus.setRegister(4, 'holding', 0, 9);
    expect((await client.readHoldingRegisters(0, 1)).data).toEqual([9]);
    client.destroy(() => {});

    await simulation.stop();
    await simulation.stop();
    const gainedKwh = energyOf(await saved()) - energyOf(plant.snapshot());
    expect(gainedKwh).toBeGreaterThan(0);
    expect(gainedKwh).toBeLessThan(100);
  }, 60_000);

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
