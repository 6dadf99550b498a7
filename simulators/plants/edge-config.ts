import { addressText, isNode, isRegister, nodeIdentifier, nodeNamespace, type Point } from '../points.ts';
import type { MachineSpec, PlantDefinition } from './definition.ts';

/**
 * The connections of the edge agents that read a simulated plant, in the shape of the agents' config files. Plain data:
 * the agents check it with their own schemas.
 */
export interface EdgeConfig {
  readonly group: string;
  readonly edge: string;
  readonly connections: readonly EdgeConnection[];
}

export type EdgeConnection = ModbusConnection | OpcUaConnection;

interface ModbusConnection {
  readonly id: string;
  readonly driver: 'modbus';
  readonly endpoint: string;
  readonly devices: readonly (EdgeDevice & { readonly unit: number; readonly tags: readonly (EdgeTag & { readonly address: string })[] })[];
}

interface OpcUaConnection {
  readonly id: string;
  readonly driver: 'opcua';
  readonly endpoint: string;
  readonly securityMode: 'None';
  readonly devices: readonly (EdgeDevice & {
    readonly tags: readonly (EdgeTag & { readonly node: string; readonly dataType: string })[];
  })[];
}

interface EdgeDevice {
  readonly id: string;
  readonly displayName: string;
  readonly kind: string;
  readonly line: string;
  readonly intervalMs: number;
}

interface EdgeTag {
  readonly metric: string;
  readonly scale?: number;
  readonly unitName?: string;
  readonly deadband?: number;
  /** Number in the controller → text. */
  readonly enum?: Readonly<Record<string, string>>;
}

/** Where the simulation listens. */
export interface Endpoints {
  readonly host: string;
  readonly modbusPort: number;
  readonly opcuaPort: number;
}

const modbusIntervalMs = 1_000;
const opcuaIntervalMs = 500;

/** One config per edge agent of the plant. An agent gets one connection per protocol that its machines speak. */
export function edgeConfigs(definition: PlantDefinition, endpoints: Endpoints): readonly EdgeConfig[] {
  const edges = [...new Set(definition.machines.map((spec) => spec.edge))];
  return edges.map((edge) => {
    const specs = definition.machines.filter((spec) => spec.edge === edge);
    const [opcua, modbus] = [ofProtocol(specs, 'opcua'), ofProtocol(specs, 'modbus')];
    const connections: EdgeConnection[] = [];
    if (opcua.length > 0) connections.push(opcuaConnection(opcua, endpoints));
    if (modbus.length > 0) connections.push(modbusConnection(modbus, endpoints));
    return { group: definition.group, edge, connections };
  });
}

function ofProtocol(specs: readonly MachineSpec[], protocol: 'modbus' | 'opcua'): readonly MachineSpec[] {
  return specs.filter((spec) => spec.kind.protocol === protocol);
}

function modbusConnection(specs: readonly MachineSpec[], { host, modbusPort }: Endpoints): ModbusConnection {
  return {
    id: 'plc',
    driver: 'modbus',
    endpoint: `tcp://${host}:${modbusPort}`,
    devices: specs.map((spec) => ({
      ...deviceOf(spec),
      unit: spec.unit ?? 1,
      intervalMs: modbusIntervalMs,
      tags: spec.kind.points.filter(isRegister).map((point) => ({
        metric: point.metric,
        address: addressText(point),
        ...(point.scale === undefined ? {} : { scale: point.scale }),
        ...tagExtras(point),
      })),
    })),
  };
}

function opcuaConnection(specs: readonly MachineSpec[], { host, opcuaPort }: Endpoints): OpcUaConnection {
  return {
    id: 'cell',
    driver: 'opcua',
    endpoint: `opc.tcp://${host}:${opcuaPort}`,
    securityMode: 'None',
    devices: specs.map((spec) => ({
      ...deviceOf(spec),
      intervalMs: opcuaIntervalMs,
      tags: spec.kind.points.filter(isNode).map((point) => ({
        metric: point.metric,
        node: `nsu=${nodeNamespace};s=${nodeIdentifier(spec.id, point)}`,
        // A code becomes its text in the agent.
        dataType: point.codes === undefined ? point.dataType : 'String',
        ...tagExtras(point),
      })),
    })),
  };
}

function deviceOf(spec: MachineSpec): Omit<EdgeDevice, 'intervalMs'> {
  return { id: spec.id, displayName: spec.name.vi, kind: spec.kindName.vi, line: spec.line };
}

function tagExtras(point: Point): Pick<EdgeTag, 'unitName' | 'deadband' | 'enum'> {
  return {
    ...(point.unitName === undefined ? {} : { unitName: point.unitName }),
    ...(point.deadband === undefined ? {} : { deadband: point.deadband }),
    ...(point.codes === undefined ? {} : { enum: textByCode(point.codes) }),
  };
}

function textByCode(codes: Readonly<Record<string, number>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(codes).map(([text, code]) => [String(code), text]));
}
