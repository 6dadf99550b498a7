import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { AttributeIds, type ClientSession, MessageSecurityMode, OPCUAClient, SecurityPolicy } from 'node-opcua-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cnc } from '../machines/cnc/machine.ts';
import { moulding } from '../machines/moulding/machine.ts';
import { nodeNamespace } from '../points.ts';
import { createOpcUaServer, type OpcUaServer } from './opcua-server.ts';

const products = [{ name: 'Giá đỡ', idealCycleMs: 20_000, lotPieces: 300 }];
const mill = cnc.create('CNC-01', { products, spindleSpeed: 8_000, runKw: 14, toolLife: 200 }, 1);
const press = moulding.create('EP-01', { products, clampKn: 2_500, runKw: 30, meltTemp: 215 }, 1);
const context = {
  nowMs: 0,
  schedule: 'work',
  isGridOn: true,
  airBar: 7,
  airDemand: 0,
  loadKw: 0,
  feed: { waiting: () => Infinity, room: () => Infinity, take: () => {}, put: () => {} },
} as const;

let folder: string;
let server: OpcUaServer;
let client: OPCUAClient;
let session: ClientSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-'));
  for (const machine of [mill, press]) machine.step(1_000, context);
  server = createOpcUaServer(
    {
      host: '127.0.0.1',
      port: 0,
      pkiDir: join(folder, 'pki'),
      machines: [
        { id: 'CNC-01', displayName: 'CNC-01', companion: 'machineTool', points: cnc.points, values: () => mill.values() },
        { id: 'EP-01', displayName: 'EP-01', companion: 'packml', points: moulding.points, values: () => press.values() },
      ],
    },
    { log: silentLog() },
  );
  const port = await server.start();
  server.update(1_700_000_000_000);
  client = OPCUAClient.create({
    securityMode: MessageSecurityMode.None,
    securityPolicy: SecurityPolicy.None,
    connectionStrategy: { maxRetry: 0 },
  });
  await client.connect(`opc.tcp://127.0.0.1:${port}`);
  session = await client.createSession();
}, 30_000);

afterAll(async () => {
  await session?.close();
  await client?.disconnect();
  await server?.stop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function read(name: string) {
  const index = (await session.readNamespaceArray()).indexOf(nodeNamespace);
  return session.read({ nodeId: `ns=${index};s=${name}`, attributeId: AttributeIds.Value });
}

describe('the OPC UA server, read by node-opcua-client', () => {
  it('serves every point of both machines with good status', async () => {
    for (const [id, points] of [
      ['CNC-01', cnc.points],
      ['EP-01', moulding.points],
    ] as const) {
      for (const point of points) {
        if (point.protocol !== 'opcua') continue;
        const value = await read(`${id}.${point.name}`);
        expect([id, point.name, value.statusCode.name]).toEqual([id, point.name, 'Good']);
        expect(value.value.value, point.name).not.toBeNull();
      }
    }
  });

  it('gives states as numbers of the control and of PackML, with the time of the step', async () => {
    const state = await read('CNC-01.State');
    expect(state.value.value).toBe(3);
    expect(state.sourceTimestamp?.getTime()).toBe(1_700_000_000_000);
    expect((await read('EP-01.Status.StateCurrent')).value.value).toBe(6);
    expect((await read('CNC-01.Product')).value.value).toBe('Giá đỡ');
  });

  it('describes the mill as a MachineTool and the press as PackML', async () => {
    expect((await read('CNC-01-Identification-SerialNumber')).value.value).toBe('NHIP-CNC-CNC-01');
    expect((await read('CNC-01-MachineryBuildingBlocks-MachineryItemState-CurrentState')).value.value.text).toBe('Executing');
    expect((await read('CNC-01-Production-ActiveProgram-Name')).value.value).toBe('Giá đỡ.nc');
    expect((await read('EP-01-Status-CurMachSpeed')).value.value).toBeGreaterThan(100);
    expect((await read('EP-01-Status-EquipmentStarved')).value.value).toBe(false);
  });

  it('publishes a change at the next update', async () => {
    const before = (await read('CNC-01.PartsGood')).value.value;
    for (let i = 0; i < 60; i++) mill.step(10_000, context);
    server.update(1_700_000_600_000);
    const after = await read('CNC-01.PartsGood');
    expect(after.value.value).toBeGreaterThan(before);
    expect(after.sourceTimestamp?.getTime()).toBe(1_700_000_600_000);
  });
});
