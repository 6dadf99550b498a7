import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quality } from '@nhip/core/wire/sample';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { followDriver, opcuaDeps } from '../../testing/opcua-follow.ts';
import { companionNodeSets, startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { opcuaConfig } from './config.ts';
import { opcua } from './index.ts';

const uri = 'urn:plant';
const autoId = 'http://opcfoundation.org/UA/AutoID/';
let folder: string;
let server: TestOpcuaServer;
let setRotation: (yaw: number) => void;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-parts-'));
  server = await startOpcuaServer({
    nodeSets: companionNodeSets('Opc.Ua.Di.NodeSet2.xml', 'Opc.Ua.AutoID.NodeSet2.xml'),
    namespaces: [uri],
    nodes: [
      { node: `nsu=${uri};s=Zones`, dataType: 'Double', isArray: true, value: [20.5, 21.5, 22.5, 23.5] },
      {
        node: `nsu=${uri};s=Counts`,
        dataType: 'Int64',
        isArray: true,
        value: [
          [0, 5],
          [1, 0],
        ],
      },
      { node: `nsu=${uri};s=Scalar`, dataType: 'Double', value: 1 },
    ],
  });
  const { addressSpace } = server;
  const type = addressSpace.findDataType('Rotation', addressSpace.getNamespaceIndex(autoId));
  if (type === null) throw new Error('the node set has no Rotation');
  const rotation = (yaw: number) => addressSpace.constructExtensionObject(type, { yaw, pitch: 2, roll: 3 });
  const variable = addressSpace.getNamespace(uri).addVariable({
    nodeId: 's=Rotation',
    browseName: 'Rotation',
    organizedBy: addressSpace.rootFolder.objects,
    dataType: type,
    value: { dataType: 'ExtensionObject', value: rotation(1) },
  });
  const list = addressSpace.getNamespace(uri).addVariable({
    nodeId: 's=Rotations',
    browseName: 'Rotations',
    organizedBy: addressSpace.rootFolder.objects,
    dataType: type,
    valueRank: 1,
    value: { dataType: 'ExtensionObject', arrayType: 'Array', value: [rotation(10), rotation(11)] },
  });
  list.valueRank = 1;
  setRotation = (yaw) => variable.setValueFromSource({ dataType: 'ExtensionObject', value: rotation(yaw) });
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const tag = (metric: string, node: string, more: object): object => ({ metric, node, dataType: 'Double', ...more });
const configOf = (tags: readonly object[]): object => ({
  id: 'cell',
  driver: 'opcua',
  endpoint: server.endpoint,
  securityMode: 'None',
  devices: [{ id: 'd', intervalMs: 50, tags }],
});

it('takes elements of arrays and fields of structures apart', async () => {
  const lines: string[] = [];
  const deps = { ...opcuaDeps(folder), log: pino({ base: null }, { write: (line: string) => lines.push(line) }) };
  const zones = `nsu=${uri};s=Zones`;
  const rotation = `nsu=${uri};s=Rotation`;
  const config = configOf([
    tag('Zone', zones, { elements: '0-2', scale: 2 }),
    tag('Last', zones, { element: 3 }),
    tag('Beyond', zones, { element: 4 }),
    tag('Whole', zones, {}),
    tag('Big', `nsu=${uri};s=Counts`, { element: 1, dataType: 'Int64' }),
    tag('Not an array', `nsu=${uri};s=Scalar`, { element: 0 }),
    tag('Yaw', rotation, { field: 'Yaw' }),
    tag('Roll', rotation, { field: 'roll' }),
    tag('No field', rotation, { field: 'nothing' }),
    tag('Second', `nsu=${uri};s=Rotations`, { element: 1, field: 'Yaw' }),
    tag('Product', 'i=2256', { field: 'BuildInfo.ProductName', dataType: 'String' }),
    tag('Started', 'i=2256', { field: 'StartTime', dataType: 'DateTime' }),
    tag('By path', `path:/Objects/{${uri}}Rotation`, { field: 'Pitch' }),
    tag('No such path', `path:/Objects/{${uri}}Nothing`, {}),
  ]);
  const [device] = opcuaConfig.parse(config).devices;
  const metrics = device === undefined ? [] : opcua.metrics(device).map(({ name }) => name);
  expect(metrics.slice(0, 4)).toEqual(['Zone/0', 'Zone/1', 'Zone/2', 'Last']);
  const { driver, last, all } = await followDriver(config, deps);
  await waitFor('all values', () => metrics.every((metric) => last(metric) !== undefined));
  const good = ['Zone/0', 'Zone/1', 'Zone/2', 'Last', 'Big', 'Yaw', 'Roll', 'Second', 'By path'];
  expect(good.map((metric) => last(metric)?.value)).toEqual([41, 43, 45, 23.5, 2 ** 32, 1, 3, 11, 2]);
  expect(last('Product')?.value).toMatch(/./);
  expect(Math.abs(Number(last('Started')?.value) - Date.now())).toBeLessThan(600_000);
  for (const metric of ['Beyond', 'Whole', 'Not an array', 'No field', 'No such path'])
    expect(last(metric), metric).toMatchObject({ value: null, quality: quality.bad });
  expect(lines.filter((line) => line.includes('"metric":"Whole"')).length).toBe(1);

  for (let yaw = 100; yaw < 105; yaw++) {
    setRotation(yaw);
    await waitFor('the change', () => last('Yaw')?.value === yaw);
  }
  expect(all('Yaw').map(({ value }) => value)).toEqual([1, 100, 101, 102, 103, 104]);
  await driver.close();
});

it('refuses names that meet', () => {
  const problems = (tags: readonly object[]): readonly string[] =>
    opcuaConfig.safeParse(configOf(tags)).error?.issues.map(({ message }) => message) ?? [];
  const node = `nsu=${uri};s=Zones`;
  expect(problems([tag('Zone', node, { elements: '0-2' }), tag('zone/1', node, { element: 1 })])).toEqual([
    'the metric "Zone/1" is there twice (case does not count)',
  ]);
  expect(problems([tag('Zone', node, { elements: '2-0' })])[0]).toContain('write first-last');
  expect(problems([tag('Zone', node, { elements: '0-2', writable: true })])).toEqual(['an element or a field cannot be written']);
});
