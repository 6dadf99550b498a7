import type { MachineValues } from '../machine.ts';
import { type ByteOrder, type RegisterPoint, type RegisterTable, rawNumber, registerCount } from '../points.ts';

/**
 * One Modbus unit: a machine's values as registers, encoded at the moment of the request. Registers can be forced, as a
 * maintenance technician does with a PLC's force table; a forced register keeps its value until it is released.
 */
export interface RegisterImage {
  /** `count` registers from `address`, as they stand now; undefined when one of them does not exist. */
  registers(table: 'input' | 'holding', address: number, count: number): readonly number[] | undefined;
  bits(table: 'coil' | 'discrete', address: number, count: number): readonly boolean[] | undefined;
  /** Forces an existing register (0 to 65535) or bit (0, 1); false when it does not exist. */
  force(table: RegisterTable, address: number, value: number): boolean;
  release(): void;
}

interface Slot {
  /** Points in this register: one, or several bits. */
  readonly points: readonly RegisterPoint[];
  /** Which register of the point's value. */
  readonly part: number;
}

/** `values` is read at every request; `points` of the kind tell where they lie. Throws a RangeError when two points overlap. */
export function createRegisterImage(points: readonly RegisterPoint[], values: () => MachineValues): RegisterImage {
  const slots = new Map<string, Slot>();
  const forced = new Map<string, number>();
  for (const point of points) addPoint(slots, point);

  const wordAt = (key: string): number | undefined => {
    const slot = slots.get(key);
    return slot === undefined ? undefined : (forced.get(key) ?? encode(slot, values()));
  };
  const read = (table: RegisterTable, address: number, count: number): number[] | undefined => {
    const words: number[] = [];
    for (let i = 0; i < count; i++) {
      const word = wordAt(`${table}:${address + i}`);
      if (word === undefined) return undefined;
      words.push(word);
    }
    return words;
  };

  return {
    registers: read,
    bits: (table, address, count) => read(table, address, count)?.map((word) => word !== 0),
    force(table, address, value) {
      const key = `${table}:${address}`;
      if (!slots.has(key)) return false;
      forced.set(key, value & 0xffff);
      return true;
    },
    release: () => forced.clear(),
  };
}

function addPoint(slots: Map<string, Slot>, point: RegisterPoint): void {
  for (let part = 0; part < registerCount(point.type); part++) {
    const key = `${point.table}:${point.address + part}`;
    const there = slots.get(key)?.points ?? [];
    if (there.some((other) => other.bit === undefined || other.bit === point.bit) || (there.length > 0 && point.bit === undefined)) {
      throw new RangeError(`register ${key} belongs to ${there[0]?.metric} and to ${point.metric}`);
    }
    slots.set(key, { points: [...there, point], part });
  }
}

function encode(slot: Slot, values: MachineValues): number {
  const point = slot.points[0] as RegisterPoint;
  if (point.bit !== undefined) {
    return slot.points.reduce((word, bit) => word | (rawNumber(bit, values[bit.metric] ?? null) << (bit.bit ?? 0)), 0);
  }
  return registersOf(point, rawNumber(point, values[point.metric] ?? null))[slot.part] ?? 0;
}

const positions: Readonly<Record<ByteOrder, readonly number[]>> = {
  AB: [0, 1],
  BA: [1, 0],
  ABCD: [0, 1, 2, 3],
  CDAB: [2, 3, 0, 1],
  BADC: [1, 0, 3, 2],
  DCBA: [3, 2, 1, 0],
};

const scratch = new DataView(new ArrayBuffer(4));

/** The registers of one number; integers are clamped to what the type holds. Booleans fill one register with 1 or 0. */
export function registersOf(point: RegisterPoint, raw: number): readonly number[] {
  const bytes = registerCount(point.type) * 2;
  if (point.type === 'float32') scratch.setFloat32(0, raw);
  else if (bytes === 4) scratch.setInt32(0, clamp(raw, point.type) | 0);
  else scratch.setInt16(0, clamp(raw, point.type));
  const order = positions[point.order ?? (bytes === 4 ? 'ABCD' : 'AB')];
  const words: number[] = [];
  for (let i = 0; i < bytes; i += 2) {
    words.push((scratch.getUint8(order[i] as number) << 8) | scratch.getUint8(order[i + 1] as number));
  }
  return words;
}

const ranges = {
  bool: [0, 1],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
} as const;

function clamp(raw: number, type: keyof typeof ranges | 'float32'): number {
  if (type === 'float32') return raw;
  const [low, high] = ranges[type];
  return Math.min(high, Math.max(low, Math.round(raw)));
}
