/**
 * Where a value lives in a Modbus device and how its bits are read:
 *
 *     <coil|discrete|input|holding>:<number>[.<bit>]:<type>[:<order>]
 *
 * `number` is the zero-based protocol address (a manual's 40001 is `holding:0`). `bit` (0 = least significant) takes one bit of
 * a register. `order` names the bytes as they arrive, `A` being the most significant of a pair of registers: ABCD (big endian,
 * the default), CDAB (words swapped), BADC (bytes swapped), DCBA (little endian); for one register AB or BA.
 */

export const tables = ['coil', 'discrete', 'input', 'holding'] as const;
export type Table = (typeof tables)[number];

/** Registers per value; 0: a single bit. */
const typeWords = { bool: 0, int16: 1, uint16: 1, int32: 2, uint32: 2, float32: 2, int64: 4, uint64: 4, float64: 4 } as const;
export type ModbusType = keyof typeof typeWords | 'string';

const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export type ByteOrder = (typeof orders)[number];

export interface ModbusAddress {
  readonly table: Table;
  /** Zero-based. */
  readonly start: number;
  /** Registers, or bits in `coil` and `discrete`. */
  readonly count: number;
  readonly type: ModbusType;
  /** For one register only "bytes as they are" (ABCD, CDAB) and "bytes swapped" (BADC, DCBA) differ. */
  readonly order: ByteOrder;
  /** Bit of the register, 0–15; undefined when the whole value is meant. */
  readonly bit: number | undefined;
  /** Length of a string; 0 for other types. */
  readonly stringBytes: number;
}

/** The longest string in one request: 125 registers. */
const maxStringBytes = 250;

/** Parses an address; the problem as one sentence when the text is none. */
export function parseAddress(text: string): ModbusAddress | { readonly problem: string } {
  const [tableText = '', place = '', typeText = '', orderText, ...rest] = text.split(':');
  const table = tables.find((name) => name === tableText);
  if (table === undefined) return problem(`"${tableText}" is not a table; use ${tables.join(', ')}`);
  if (rest.length > 0 || typeText === '')
    return problem('write it as table:number:type or table:number:type:order, e.g. holding:100:float32:CDAB');

  const match = /^(\d{1,5})(?:\.(\d{1,2}))?$/.exec(place);
  const start = Number(match?.[1] ?? Number.NaN);
  if (!(start <= 65_535)) return problem(`"${place}" is not a register number; use 0 to 65535, with .0 to .15 for a bit`);
  const bit = match?.[2] === undefined ? undefined : Number(match[2]);

  const size = parseType(typeText);
  if (size === undefined)
    return problem(`"${typeText}" is not a type; use ${Object.keys(typeWords).join(', ')} or string<bytes> with 1 to ${maxStringBytes}`);
  const isBitTable = table === 'coil' || table === 'discrete';
  if (isBitTable && (size.type !== 'bool' || bit !== undefined))
    return problem(`a ${table} is a single bit; its type is bool without .bit`);
  if (!isBitTable && size.type === 'bool' && bit === undefined)
    return problem(`a bool in a register needs its bit, e.g. ${table}:${start}.0:bool`);
  if (bit !== undefined && (size.type !== 'bool' || bit > 15)) return problem('a bit is 0 to 15 and its type is bool');

  const order = parseOrder(orderText, isBitTable, size);
  if (order === undefined) {
    const allowed = isBitTable ? 'none for single bits' : size.words <= 1 || size.type === 'string' ? 'AB or BA' : orders.join(', ');
    return problem(`"${orderText}" is not a byte order for ${typeText}; use ${allowed}`);
  }
  const count = isBitTable ? 1 : Math.max(1, size.words);
  if (start + count > 65_536) return problem(`${typeText} at ${start} ends after register 65535`);
  return { table, start, count, type: size.type, order, bit, stringBytes: size.stringBytes };
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

function parseOrder(text: string | undefined, isBitTable: boolean, size: TypeSize): ByteOrder | undefined {
  if (text === undefined) return 'ABCD';
  if (isBitTable) return undefined;
  const oneWordAtATime = size.words <= 1 || size.type === 'string';
  if (text === 'AB' || text === 'BA') return oneWordAtATime ? (text === 'AB' ? 'ABCD' : 'BADC') : undefined;
  const order = orders.find((name) => name === text);
  // A device-wide order may be written on every tag: swapping words means nothing for one register.
  if (order !== undefined && oneWordAtATime) return order === 'ABCD' || order === 'CDAB' ? 'ABCD' : 'BADC';
  return order;
}

function problem(text: string): { readonly problem: string } {
  return { problem: text };
}
