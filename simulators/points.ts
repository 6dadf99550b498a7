import type { Value } from '@nhip/core/wire/sample';

/**
 * Points: where a controller publishes a value. One table per machine kind; the protocol servers, the edge agents'
 * configuration and the history generator all read it, so that they cannot disagree.
 */
export type Point = RegisterPoint | NodePoint;

interface PointBase {
  /** Key of the machine's values, and the metric name that the edge reports. */
  readonly metric: string;
  readonly unitName?: string;
  /** Report by exception: smaller changes are not worth a sample. In the metric's unit. */
  readonly deadband?: number;
  /** Text value → number in the controller. Numbers outside of the table cannot occur. */
  readonly codes?: Readonly<Record<string, number>>;
}

export type RegisterTable = 'coil' | 'discrete' | 'input' | 'holding';
export type RegisterType = 'bool' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32';
/** A is the most significant byte of the value; the order is the order on the wire. */
export type ByteOrder = 'AB' | 'BA' | 'ABCD' | 'CDAB' | 'BADC' | 'DCBA';

export interface RegisterPoint extends PointBase {
  readonly protocol: 'modbus';
  readonly table: RegisterTable;
  readonly address: number;
  readonly type: RegisterType;
  /** For booleans inside of a register: 0 is the least significant bit. */
  readonly bit?: number;
  readonly order?: ByteOrder;
  /** Value = register × scale; 1, 0.1, 0.01 or 0.001. */
  readonly scale?: number;
}

export type NodeDataType = 'Double' | 'Int32' | 'UInt32' | 'Boolean' | 'String';

export interface NodePoint extends PointBase {
  readonly protocol: 'opcua';
  /** Last part of the node id: `nsu=urn:nhip:simulator;s=<machine>.<name>`. */
  readonly name: string;
  readonly dataType: NodeDataType;
}

/** Registers that a value of this type fills. */
export function registerCount(type: RegisterType): 1 | 2 {
  return type === 'int32' || type === 'uint32' || type === 'float32' ? 2 : 1;
}

/** The address as the edge agent's Modbus driver writes it, e.g. `holding:10:uint32:CDAB` or `holding:12.3:bool`. */
export function addressText(point: RegisterPoint): string {
  const bit = point.bit === undefined ? '' : `.${point.bit}`;
  const order = point.order === undefined ? '' : `:${point.order}`;
  return `${point.table}:${point.address}${bit}:${point.type}${order}`;
}

/** Namespace of the simulator's own OPC UA nodes. */
export const nodeNamespace = 'urn:nhip:simulator';

/** Identifier of a vendor variable in that namespace. */
export function nodeIdentifier(machine: string, point: NodePoint): string {
  return `${machine}.${point.name}`;
}

export function isRegister(point: Point): point is RegisterPoint {
  return point.protocol === 'modbus';
}

export function isNode(point: Point): point is NodePoint {
  return point.protocol === 'opcua';
}

/** The number that stands for a value in the controller: its code, its scaled register, 1 or 0 for a boolean. */
export function rawNumber(point: Point, value: Value): number {
  if (typeof value === 'string') return point.codes?.[value] ?? 0;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = Number(value ?? 0);
  return point.protocol === 'modbus' ? number / (point.scale ?? 1) : number;
}

/** The value that the edge decodes: what is left of `value` after the register's scale and width. */
export function asReported(point: Point, value: Value): Value {
  if (typeof value !== 'number' || point.protocol === 'opcua') return value;
  const raw = value / (point.scale ?? 1);
  const perUnit = Math.round(1 / (point.scale ?? 1));
  return (point.type === 'float32' ? Math.fround(raw) : Math.round(raw)) / perUnit;
}
