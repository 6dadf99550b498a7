import { type ByteOrder, byteOrders, orderFor, parseByteOrder } from './byte-order.ts';

/**
 * Where a value lives in a Modbus device and how its bits are read:
 *
 *     <coil|discrete|input|holding>:<number>[.<part>]:<type>[:<order>]
 *
 * `number` is the zero-based protocol address (a manual's 40001 is `holding:0`). `part` takes a piece of one register: a bit (`.3`, 0 = least
 * significant), some bits (`.4-7`), or a byte (`.hi`, `.lo`). `order` names the bytes as they arrive, `A` being the most
 * significant: ABCD (big endian), CDAB (words swapped), BADC (bytes swapped), DCBA (little endian), and for four registers also
 * CDABGHEF and EFGHABCD; for one register AB or BA.
 */

export const tables = ['coil', 'discrete', 'input', 'holding'] as const;
export type Table = (typeof tables)[number];

/** Registers per value; 0: a single bit. */
const typeWords = {
  bool: 0,
  int8: 1,
  uint8: 1,
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  int64: 4,
  uint64: 4,
  float16: 1,
  float32: 2,
  float64: 4,
  bcd16: 1,
  bcd32: 2,
  /** Registers of 0 to 9999 each. */
  mod10k2: 2,
  mod10k3: 3,
  mod10k4: 4,
  /** Seconds since 1970. */
  epoch32: 2,
  /** Month and day, year since 1900 and hour, minute and second; with four registers also ms (Square D PowerLogic). */
  calendar3: 3,
  calendar4: 4,
  /** Year since 2000, month and day, hour and minute, ms (Schneider DATETIME and TI081, after IEC 870-5-4). */
  datetime4: 4,
} as const;
export type ModbusType = keyof typeof typeWords | 'string';

const partialTypes: readonly ModbusType[] = ['int8', 'uint8'];
const bitFieldTypes: readonly ModbusType[] = ['int16', 'uint16'];

/** Bits of one register that a value occupies: `count` bits from `from` (0 = least significant). */
export interface BitRange {
  readonly from: number;
  readonly count: number;
}

export interface ModbusAddress {
  readonly table: Table;
  /** Zero-based. */
  readonly start: number;
  /** Registers, or bits in `coil` and `discrete`. */
  readonly count: number;
  readonly type: ModbusType;
  /** For one register only "bytes as they are" (ABCD) and "bytes swapped" (BADC) differ. */
  readonly order: ByteOrder;
  /** The bits of the register that are meant; undefined when the whole value is. */
  readonly bits: BitRange | undefined;
  /** Length of a string; 0 for other types. */
  readonly stringBytes: number;
}

/** The longest string in one request: 125 registers. */
const maxStringBytes = 250;

/** Parses an address; the problem as one sentence when the text is none. `defaultOrder` holds for addresses that name none. */
export function parseAddress(text: string, defaultOrder: ByteOrder = 'ABCD'): ModbusAddress | { readonly problem: string } {
  const [tableText = '', place = '', typeText = '', orderText, ...rest] = text.split(':');
  const table = tables.find((name) => name === tableText);
  if (table === undefined) return problem(`"${tableText}" is not a table; use ${tables.join(', ')}${manualHint(text)}`);
  if (rest.length > 0 || typeText === '')
    return problem('write it as table:number:type or table:number:type:order, e.g. holding:100:float32:CDAB');

  const match = /^(\d{1,5})(?:\.(\w+(?:-\w+)?))?$/.exec(place);
  const start = Number(match?.[1] ?? Number.NaN);
  if (!(start <= 65_535)) return problem(`"${place}" is not a register number; use 0 to 65535, with .0 to .15 for a bit`);
  const part = match?.[2];

  const size = parseType(typeText);
  if (size === undefined)
    return problem(`"${typeText}" is not a type; use ${Object.keys(typeWords).join(', ')} or string<bytes> with 1 to ${maxStringBytes}`);
  const isBitTable = table === 'coil' || table === 'discrete';
  if (isBitTable && (size.type !== 'bool' || part !== undefined))
    return problem(`a ${table} is a single bit; its type is bool without .bit`);
  const bits = isBitTable ? undefined : parsePart(part, size.type, `${table}:${start}`);
  if (bits !== undefined && 'problem' in bits) return bits;

  const words = Math.max(1, size.words);
  const order = parseOrder(orderText, isBitTable, size, defaultOrder);
  if (order === undefined) {
    const isOneByOne = words === 1 || size.type === 'string';
    const allowed = isBitTable
      ? 'none for single bits'
      : isOneByOne
        ? 'AB or BA'
        : byteOrders.filter((name) => name.length === 4 || words === 4).join(', ');
    return problem(`"${orderText}" is not a byte order for ${typeText}; use ${allowed}`);
  }
  const count = isBitTable ? 1 : words;
  if (start + count > 65_536) return problem(`${typeText} at ${start} ends after register 65535`);
  return { table, start, count, type: size.type, order, bits, stringBytes: size.stringBytes };
}

/** What manuals write: the table as the first digit, and numbers that begin with 1. */
const manualTables: ReadonlyMap<string, Table> = new Map([
  ['0', 'coil'],
  ['1', 'discrete'],
  ['3', 'input'],
  ['4', 'holding'],
]);

function manualHint(text: string): string {
  const match = /^([0134])(\d{4,5})$/.exec(text);
  const [table, number] = [manualTables.get(match?.[1] ?? ''), Number(match?.[2])];
  if (table === undefined || number < 1 || number > 65_536) return '';
  return `; if a manual calls it ${text}, it is ${table}:${number - 1}:${table === 'coil' || table === 'discrete' ? 'bool' : '<type>'}`;
}

interface TypeSize {
  readonly type: ModbusType;
  readonly words: number;
  readonly stringBytes: number;
}

function parseType(text: string): TypeSize | undefined {
  if (Object.hasOwn(typeWords, text)) {
    const type = text as keyof typeof typeWords;
    return { type, words: typeWords[type], stringBytes: 0 };
  }
  const bytes = Number(/^string(\d{1,3})$/.exec(text)?.[1] ?? 0);
  return bytes >= 1 && bytes <= maxStringBytes ? { type: 'string', words: Math.ceil(bytes / 2), stringBytes: bytes } : undefined;
}

function parsePart(part: string | undefined, type: ModbusType, place: string): BitRange | { readonly problem: string } | undefined {
  if (type === 'bool' && part === undefined) return problem(`a bool in a register needs its bit, e.g. ${place}.0:bool`);
  if (partialTypes.includes(type)) {
    if (part === 'hi') return { from: 8, count: 8 };
    if (part === 'lo') return { from: 0, count: 8 };
    return problem(`an ${type} is half a register: write ${place}.hi:${type} or ${place}.lo:${type}`);
  }
  if (part === undefined) return undefined;
  const match = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(part);
  const from = Number(match?.[1] ?? Number.NaN);
  const to = Number(match?.[2] ?? from);
  if (!(from <= to && to <= 15)) return problem(`".${part}" is no part of a register; use .0 to .15, .0-3, .hi or .lo`);
  if (match?.[2] === undefined && type !== 'bool') return problem('a bit is 0 to 15 and its type is bool');
  if (match?.[2] !== undefined && !bitFieldTypes.includes(type)) return problem('some bits of a register are an uint16 or an int16');
  return { from, count: to - from + 1 };
}

function parseOrder(text: string | undefined, isBitTable: boolean, size: TypeSize, defaultOrder: ByteOrder): ByteOrder | undefined {
  if (isBitTable) return text === undefined ? 'ABCD' : undefined;
  const words = size.type === 'string' ? 1 : Math.max(1, size.words);
  // A string is registers in a row: only the bytes within each can be swapped.
  return text === undefined ? orderFor(defaultOrder, words) : parseByteOrder(text, words);
}

function problem(text: string): { readonly problem: string } {
  return { problem: text };
}
