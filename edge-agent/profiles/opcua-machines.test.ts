import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quality, type Value } from '@nhip/core/wire/sample';
import { StatusCodes } from 'node-opcua-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { opcuaConfig } from '../drivers/opcua/config.ts';
import { opcua } from '../drivers/opcua/index.ts';
import { parseNode } from '../drivers/opcua/namespaces.ts';
import { createDeviceRules } from '../rules/device-rules.ts';
import { type Followed, followDriver, opcuaDeps } from '../testing/opcua-follow.ts';
import { companionNodeSets, smallNodeSets, startOpcuaServer, type TestOpcuaServer, type TestVariable } from '../testing/opcua-server.ts';
import { waitFor } from '../testing/wait-for.ts';
import { loadProfiles } from './catalogue.ts';
import { expandProfiles } from './testing/expand-profiles.ts';

const packml = 'http://opcfoundation.org/UA/PackML/';
const machinery = 'http://opcfoundation.org/UA/Machinery/';
const di = 'http://opcfoundation.org/UA/DI/';
const own = 'urn:plant:machines';

describe('paths of the OPC UA profiles', () => {
  it('are browse names that the published node sets have, in the namespaces that they have them in', () => {
    const [, ...files] = companionNodeSets('Opc.Ua.PackML.NodeSet2.xml', 'Opc.Ua.Machinery.NodeSet2.xml');
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    const known = new Set(texts.flatMap(namesIn));
    // Default names of objects that machines instantiate, and the folder that holds them (OPC 40001-1 §10, OPC 40501-1).
    for (const name of ['MachineryBuildingBlocks', 'MachineryItemState', 'MachineryOperationMode']) known.add(`{${machinery}}${name}`);
    known.add(`{${di}}OperationCounters`);
    const profiles = [...loadProfiles().values()].filter(({ driver }) => driver === 'opcua');
    expect(profiles.map(({ id }) => id)).toEqual(['opcua-machinery', 'opcua-packml']);
    for (const { metric, node } of profiles.flatMap(({ tags }) => tags)) {
      const path = parseNode(`path:${String(node)}`);
      if (!('path' in path)) throw new Error(`${metric}: ${JSON.stringify(path)}`);
      for (const { namespaceUri, name } of path.path) {
        const step = namespaceUri === undefined ? name : `{${namespaceUri}}${name}`;
        expect(known.has(step), `${metric}: ${step}`).toBe(true);
      }
    }
  });
});

/** `{uri}name` of every browse name of a node set. */
function namesIn(xml: string): readonly string[] {
  const uris = [
    '',
    ...[...(/<NamespaceUris>(.*?)<\/NamespaceUris>/s.exec(xml)?.[1]?.matchAll(/<Uri>([^<]+)</g) ?? [])].map(([, uri = '']) => uri),
  ];
  return [...xml.matchAll(/BrowseName="(?:(\d+):)?([^"]+)"/g)].map(([, index = '0', name]) => {
    return index === '0' ? String(name) : `{${uris[Number(index)]}}${name}`;
  });
}

describe('OPC UA profiles against a server', { timeout: 60_000 }, () => {
  let folder: string;
  let server: TestOpcuaServer;
  const open: Followed[] = [];
  const variables = new Map<string, TestVariable>();

  /** A variable under `Objects/<machine>`, with the objects on the way. */
  function addVariable(
    machine: string,
    path: readonly (readonly [uri: string | undefined, name: string])[],
    dataType: string,
    value: unknown,
  ): void {
    const { addressSpace } = server;
    const namespace = addressSpace.getNamespace(own);
    let parent = addressSpace.rootFolder.objects as unknown as { nodeId: { toString(): string } };
    [[own, machine] as const, ...path].forEach(([uri, name], i, steps) => {
      const nodeId = `s=${steps
        .slice(0, i + 1)
        .map(([, step]) => step)
        .join('/')}`;
      const browseName = { namespaceIndex: uri === undefined ? 0 : addressSpace.getNamespaceIndex(uri), name };
      const place = { nodeId, browseName, organizedBy: parent as never };
      const known = addressSpace.findNode(`ns=${addressSpace.getNamespaceIndex(own)};${nodeId}`);
      if (known !== null) parent = known;
      else if (i < steps.length - 1) parent = namespace.addObject(place);
      else variables.set(nodeId.slice(2), namespace.addVariable({ ...place, dataType, value: { dataType, value } as never }));
    });
  }

  const set = (name: string, dataType: string, value: unknown): void => {
    variables.get(name)?.setValueFromSource({ dataType, value } as never, StatusCodes.Good);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nhip-profiles-'));
    // The library takes seconds to load where much else runs.
    await opcua.load();
    server = await startOpcuaServer({ namespaces: [di, machinery, packml, own], nodes: [], nodeSets: smallNodeSets() });
    const machine = [packml, 'BaseStateMachine'] as const;
    addVariable('Filler', [machine, [undefined, 'CurrentState']], 'String', 'Cleared');
    addVariable('Filler', [machine, [packml, 'MachineState'], [undefined, 'CurrentState']], 'String', 'Running');
    addVariable('Filler', [machine, [packml, 'MachineState'], [packml, 'ExecuteState'], [undefined, 'CurrentState']], 'String', 'Execute');
    addVariable(
      'Filler',
      [
        [packml, 'Status'],
        [packml, 'UnitModeCurrent'],
      ],
      'Int32',
      1,
    );
    addVariable(
      'Filler',
      [
        [packml, 'Status'],
        [packml, 'CurMachSpeed'],
      ],
      'Float',
      59.5,
    );
    addVariable(
      'Filler',
      [
        [packml, 'Status'],
        [packml, 'MachSpeed'],
      ],
      'Float',
      60,
    );
    addVariable(
      'Filler',
      [
        [packml, 'Status'],
        [packml, 'EquipmentBlocked'],
      ],
      'Boolean',
      false,
    );
    addVariable(
      'Filler',
      [
        [packml, 'Status'],
        [packml, 'EquipmentStarved'],
      ],
      'Boolean',
      true,
    );
    const blocks = [machinery, 'MachineryBuildingBlocks'] as const;
    addVariable('Press', [blocks, [machinery, 'MachineryItemState'], [undefined, 'CurrentState']], 'String', 'Executing');
    addVariable('Press', [blocks, [machinery, 'MachineryOperationMode'], [undefined, 'CurrentState']], 'String', 'Processing');
    addVariable('Press', [blocks, [di, 'OperationCounters'], [di, 'PowerOnDuration']], 'Double', 7_200_000);
    addVariable('Press', [blocks, [di, 'OperationCounters'], [di, 'OperationDuration']], 'Double', 5_400_000);
    addVariable('Press', [blocks, [di, 'OperationCounters'], [di, 'OperationCycleCounter']], 'UInt32', 70_000);
  }, 120_000);
  afterAll(async () => {
    for (const { driver } of open) await driver.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Follows one device and shows what the agent would report last. */
  async function follow(device: Readonly<Record<string, unknown>>): Promise<() => Readonly<Record<string, Value | 'bad'>>> {
    const raw = {
      connections: [
        { id: 'c', driver: 'opcua', endpoint: server.endpoint, securityMode: 'None', devices: [{ id: 'd', intervalMs: 50, ...device }] },
      ],
    };
    const [connection] = (expandProfiles(raw, 'test.yaml') as typeof raw).connections;
    const config = opcuaConfig.parse(connection);
    const [only] = config.devices;
    if (only === undefined) throw new Error('there is no device');
    const followed = await followDriver(connection as object, opcuaDeps(folder));
    open.push(followed);
    const rules = createDeviceRules(only, opcua.metrics(only));
    const shown: Record<string, Value | 'bad'> = {};
    let taken = 0;
    return () => {
      for (const reading of rules.apply(followed.readings.slice(taken))) {
        shown[reading.metric] = reading.quality === quality.good ? reading.value : 'bad';
      }
      taken = followed.readings.length;
      return shown;
    };
  }

  it('PackML: the state of three nested state machines, also while the inner ones are not active', async () => {
    const shown = await follow({
      profile: 'opcua-packml@1',
      base: `path:/Objects/{${own}}Filler`,
      without: ['Count/Total', 'Count/Reject', 'State/Reason'],
    });
    await waitFor('all values', () => Object.keys(shown()).length === 6);
    expect(shown()).toEqual({
      State: 'running',
      Mode: 'production',
      'Speed/Actual': 59.5,
      'Speed/Set': 60,
      'Line/Blocked': false,
      'Line/Starved': true,
    });
    const base = 'Filler/BaseStateMachine';
    set(`${base}/MachineState/ExecuteState/CurrentState`, 'String', 'Suspended');
    await waitFor('suspended', () => shown().State === 'idle');
    set(`${base}/CurrentState`, 'String', 'Aborted');
    for (const inner of ['MachineState/CurrentState', 'MachineState/ExecuteState/CurrentState']) {
      variables.get(`${base}/${inner}`)?.setValueFromSource({ dataType: 'String', value: null } as never, StatusCodes.BadStateNotActive);
    }
    await waitFor('aborted', () => shown().State === 'fault');
    set(`${base}/CurrentState`, 'String', 'Cleared');
    set(`${base}/MachineState/CurrentState`, 'String', 'Stopped');
    await waitFor('stopped', () => shown().State === 'stopped');
    set('Filler/Status/UnitModeCurrent', 'Int32', 2);
    await waitFor('maintenance', () => shown().State === 'maintenance' && shown().Mode === 'maintenance');
  });

  it('Machinery: state by state and mode, durations in hours', async () => {
    const shown = await follow({ profile: 'opcua-machinery', base: `path:/Objects/{${own}}Press` });
    await waitFor('all values', () => Object.keys(shown()).length === 5);
    expect(shown()).toEqual({ State: 'running', Mode: 'Processing', 'Hours/PoweredOn': 2, 'Hours/Running': 1.5, 'Count/Cycles': 70_000 });
    const blocks = 'Press/MachineryBuildingBlocks';
    set(`${blocks}/MachineryOperationMode/CurrentState`, 'String', 'Setup');
    await waitFor('setting up', () => shown().State === 'setup');
    set(`${blocks}/MachineryItemState/CurrentState`, 'String', 'OutOfService');
    await waitFor('a fault', () => shown().State === 'fault');
    set(`${blocks}/MachineryItemState/CurrentState`, 'String', 'Läuft');
    await waitFor('a word that is not in the list', () => shown().State === 'bad');
  });
});
