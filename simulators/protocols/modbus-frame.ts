import type { RegisterImage } from './register-image.ts';

/**
 * Modbus TCP, server side (MODBUS Messaging on TCP/IP V1.0b, MODBUS Application Protocol V1.1b3).
 *
 * Frame: transaction id u16, protocol id u16 (0), length u16 (unit id + PDU, 2 to 254), unit id u8, PDU.
 * Functions 1–6, 15 and 16. Exceptions: 1 unknown function, 2 a register of the range does not exist, 3 bad quantity or value.
 * Failure: a frame that cannot be one makes `nextFrame` throw; the connection is lost, as there is no way to find the next one.
 */
export interface Frame {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Buffer;
  /** Bytes that the frame took. */
  readonly size: number;
}

const headerBytes = 7;

/** The first whole frame of `data`, or undefined when more bytes must come. Throws a RangeError when `data` is not Modbus. */
export function nextFrame(data: Buffer): Frame | undefined {
  if (data.length < headerBytes) return undefined;
  const length = data.readUInt16BE(4);
  if (data.readUInt16BE(2) !== 0 || length < 2 || length > 254) throw new RangeError('not a Modbus TCP frame');
  const size = 6 + length;
  if (data.length < size) return undefined;
  return { transaction: data.readUInt16BE(0), unit: data.readUInt8(6), pdu: data.subarray(headerBytes, size), size };
}

export function frameOf(transaction: number, unit: number, pdu: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(pdu.length + 1, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, pdu]);
}

class ModbusException extends Error {
  readonly exceptionCode: number;
  constructor(exceptionCode: number) {
    super(`Modbus exception ${exceptionCode}`);
    this.exceptionCode = exceptionCode;
  }
}

const illegalFunction = 1;
const illegalAddress = 2;
const illegalValue = 3;

/** The answer to a request PDU; exceptions included. Never throws for any bytes. */
export function answer(image: RegisterImage, pdu: Buffer): Buffer {
  const code = pdu[0] ?? 0;
  try {
    const run = functions[code];
    if (run === undefined) throw new ModbusException(illegalFunction);
    if (pdu.length < 5) throw new ModbusException(illegalValue);
    return run(image, pdu);
  } catch (error) {
    if (!(error instanceof ModbusException)) throw error;
    return Buffer.from([code | 0x80, error.exceptionCode]);
  }
}

const functions: Readonly<Record<number, (image: RegisterImage, pdu: Buffer) => Buffer>> = {
  1: (image, pdu) => readBits(image, 'coil', pdu),
  2: (image, pdu) => readBits(image, 'discrete', pdu),
  3: (image, pdu) => readRegisters(image, 'holding', pdu),
  4: (image, pdu) => readRegisters(image, 'input', pdu),
  5: (image, pdu) => {
    const value = pdu.readUInt16BE(3);
    if (value !== 0 && value !== 0xff00) throw new ModbusException(illegalValue);
    force(image, 'coil', pdu.readUInt16BE(1), [value === 0 ? 0 : 1]);
    return pdu.subarray(0, 5);
  },
  6: (image, pdu) => {
    force(image, 'holding', pdu.readUInt16BE(1), [pdu.readUInt16BE(3)]);
    return pdu.subarray(0, 5);
  },
  15: (image, pdu) => {
    const count = quantity(pdu, 1968);
    if (pdu[5] !== Math.ceil(count / 8) || pdu.length < 6 + Math.ceil(count / 8)) throw new ModbusException(illegalValue);
    const bits = Array.from({ length: count }, (_, i) => ((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1);
    force(image, 'coil', pdu.readUInt16BE(1), bits);
    return pdu.subarray(0, 5);
  },
  16: (image, pdu) => {
    const count = quantity(pdu, 123);
    if (pdu[5] !== count * 2 || pdu.length < 6 + count * 2) throw new ModbusException(illegalValue);
    const words = Array.from({ length: count }, (_, i) => pdu.readUInt16BE(6 + 2 * i));
    force(image, 'holding', pdu.readUInt16BE(1), words);
    return pdu.subarray(0, 5);
  },
};

function quantity(pdu: Buffer, most: number): number {
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > most) throw new ModbusException(illegalValue);
  return count;
}

function readRegisters(image: RegisterImage, table: 'input' | 'holding', pdu: Buffer): Buffer {
  const words = image.registers(table, pdu.readUInt16BE(1), quantity(pdu, 125));
  if (words === undefined) throw new ModbusException(illegalAddress);
  const reply = Buffer.alloc(2 + 2 * words.length);
  reply.writeUInt8(pdu[0] ?? 0, 0);
  reply.writeUInt8(2 * words.length, 1);
  for (const [i, word] of words.entries()) reply.writeUInt16BE(word, 2 + 2 * i);
  return reply;
}

function readBits(image: RegisterImage, table: 'coil' | 'discrete', pdu: Buffer): Buffer {
  const bits = image.bits(table, pdu.readUInt16BE(1), quantity(pdu, 2000));
  if (bits === undefined) throw new ModbusException(illegalAddress);
  const reply = Buffer.alloc(2 + Math.ceil(bits.length / 8));
  reply.writeUInt8(pdu[0] ?? 0, 0);
  reply.writeUInt8(reply.length - 2, 1);
  for (const [i, bit] of bits.entries()) {
    if (bit) reply[2 + (i >> 3)] = (reply[2 + (i >> 3)] ?? 0) | (1 << (i & 7));
  }
  return reply;
}

/** All or nothing: a range with a hole changes nothing. */
function force(image: RegisterImage, table: 'coil' | 'holding', address: number, values: readonly number[]): void {
  const isThere = table === 'coil' ? image.bits(table, address, values.length) : image.registers(table, address, values.length);
  if (isThere === undefined) throw new ModbusException(illegalAddress);
  for (const [i, value] of values.entries()) image.force(table, address + i, value);
}
