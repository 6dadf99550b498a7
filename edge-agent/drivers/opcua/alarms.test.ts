import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quality } from '@nhip/core/wire/sample';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DriverDeps } from '../../driver.ts';
import { type Followed, followDriver, opcuaDeps } from '../../testing/opcua-follow.ts';
import { startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { waitFor } from '../../testing/wait-for.ts';

const uri = 'urn:plant';
const level = `nsu=${uri};s=Level`;
const pressure = `nsu=${uri};s=Pressure`;
let folder: string;
let deps: DriverDeps;
let server: TestOpcuaServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-alarms-'));
  deps = opcuaDeps(folder);
  server = await startOpcuaServer({
    namespaces: [uri],
    nodes: [
      { node: level, dataType: 'Double', value: 50 },
      { node: pressure, dataType: 'Double', value: 50 },
    ],
  });
  const { addressSpace } = server;
  addressSpace.installAlarmsAndConditionsService();
  const namespace = addressSpace.getNamespace(uri);
  // The library declares its alarms apart from its namespaces.
  const alarms = namespace as unknown as { instantiateExclusiveLimitAlarm(type: string, options: object): unknown };
  const tank = namespace.addObject({
    browseName: 'Tank',
    nodeId: 's=Tank',
    organizedBy: addressSpace.rootFolder.objects,
    eventSourceOf: addressSpace.rootFolder.objects.server,
  });
  for (const node of [level, pressure]) {
    const variable = server.variable(node);
    tank.addReference({ referenceType: 'HasEventSource', nodeId: variable.nodeId });
    alarms.instantiateExclusiveLimitAlarm('ExclusiveLimitAlarmType', {
      browseName: `${variable.browseName.name}Alarm`,
      conditionName: node === level ? 'LevelAlarm' : 'PressureAlarm',
      conditionSource: variable,
      inputNode: variable,
      highHighLimit: 90,
      highLimit: 80,
      lowLimit: 20,
      lowLowLimit: 10,
    });
  }
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const config = (conditions: readonly object[], node?: string): object => ({
  id: 'cell',
  driver: 'opcua',
  endpoint: server.endpoint,
  securityMode: 'None',
  devices: [{ id: 'd', intervalMs: 50, events: [{ conditions, ...(node === undefined ? {} : { node }) }] }],
});
const value = (followed: Followed, metric: string): unknown => followed.last(metric)?.value;

it('follows alarms: which are active now, and what changes', async () => {
  server.set(pressure, 99);
  const conditions = [{ condition: 'LevelAlarm' }, { condition: 'PressureAlarm', metric: 'Alarm/Pressure' }, { condition: 'Nobody' }];
  const followed = await followDriver(config(conditions), deps);
  await waitFor('the state of all alarms', () =>
    ['Alarm/LevelAlarm', 'Alarm/Pressure', 'Alarm/Nobody'].every((metric) => followed.last(metric) !== undefined),
  );
  expect(['Alarm/LevelAlarm', 'Alarm/Pressure', 'Alarm/Nobody'].map((metric) => value(followed, metric))).toEqual([false, true, false]);
  expect(followed.last('Alarm/Pressure')?.quality).toBe(quality.good);
  expect(value(followed, 'Alarm/Pressure/Severity')).toBeGreaterThan(0);
  expect(value(followed, 'Alarm/Pressure/Message')).toMatch(/./);

  server.set(level, 85);
  await waitFor('the alarm', () => value(followed, 'Alarm/LevelAlarm') === true);
  expect(Math.abs((followed.last('Alarm/LevelAlarm')?.timestampMs ?? 0) - Date.now())).toBeLessThan(60_000);
  server.set(level, 50);
  await waitFor('its end', () => value(followed, 'Alarm/LevelAlarm') === false);
  expect(value(followed, 'Alarm/Pressure')).toBe(true);
  await followed.driver.close();

  // What changed while nobody listened is known after the next connection.
  server.set(pressure, 50);
  server.set(level, 5);
  const again = await followDriver(config(conditions), deps);
  await waitFor('the states again', () => value(again, 'Alarm/LevelAlarm') === true && value(again, 'Alarm/Pressure') === false);
  await again.driver.close();
}, 60_000);

it('tells sources apart', async () => {
  server.set(level, 5);
  const of = (source: string, metric: string): object => ({ condition: 'LevelAlarm', source, metric });
  const followed = await followDriver(config([of('2:s=Level', 'Alarm/Mine'), of('Another', 'Alarm/Other')]), deps);
  await waitFor('both', () => value(followed, 'Alarm/Mine') === true && value(followed, 'Alarm/Other') === false);
  await followed.driver.close();
});

it('reports alarms of a notifier that is not there as bad', async () => {
  const followed = await followDriver(config([{ condition: 'x' }], `nsu=${uri};s=Nothing`), deps);
  await waitFor('the refusal', () => followed.last('Alarm/x') !== undefined);
  expect(followed.last('Alarm/x')).toMatchObject({ value: null, quality: quality.bad });
  expect(followed.lost).toEqual([]);
  await followed.driver.close();
});
