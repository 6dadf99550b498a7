import type { Table } from './address.ts';
import { ModbusExceptionError, ModbusWrongAnswerError } from './errors.ts';

/** Requests and answers without their framing (Modbus Application Protocol V1.1b3 §6): the same for TCP and serial lines. */

/** One request and what its answer must look like. */
export interface Exchange {
  readonly unit: number;
  /** For messages, e.g. `holding 100–109`. */
  readonly what: string;
  /** Function code and its data. */
  readonly pdu: Buffer;
  /**
   * Length of the answer PDU, told from its first bytes; `undefined` while there are too few. For serial lines, whose frames do not say
   * how long they are.
   */
  answerBytes(begin: Buffer): number | undefined;
  /** What the answer carries. Throws `ModbusExceptionError`, or `ModbusWrongAnswerError` when it cannot belong to this request. */
  readAnswer(pdu: Buffer): Buffer;
  /** Present for a read: on a serial line nothing else tells its answer from the late answer to another read. */
  readonly read?: ReadRequest | undefined;
}

export interface ReadRequest {
  readonly unit: number;
  readonly table: Table;
  readonly start: number;
  /** Registers or bits. */
  readonly count: number;
}

export const readFunctions: Readonly<Record<Table, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 };

/** Bytes of the longest PDU. */
export const maxPduBytes = 253;

export function isBitTable(table: Table): boolean {
  return table === 'coil' || table === 'discrete';
}

/** Most registers or bits that one read may ask for (§6.1, §6.3). */
export function maxReadCount(table: Table): number {
  return isBitTable(table) ? 2000 : 125;
}

/** Data bytes in the answer to a read. */
export function readDataBytes(request: ReadRequest): number {
  return isBitTable(request.table) ? Math.ceil(request.count / 8) : request.count * 2;
}

/** Functions 1 to 4. The answer carries registers as they came, or packed bits. */
export function readExchange(request: ReadRequest): Exchange {
  const { unit, table, start, count } = request;
  checkPlace(start, count, maxReadCount(table));
  const functionCode = readFunctions[table];
  const what = `${table} ${rangeText(start, count)}`;
  return {
    unit,
    what,
    pdu: words(functionCode, [start, count]),
    read: request,
    answerBytes: (begin) => exceptionBytes(begin) ?? (begin.length < 2 ? undefined : 2 + (begin[1] ?? 0)),
    readAnswer: (pdu) => {
      checkFunction({ unit, what }, functionCode, pdu);
      return counted({ unit, what }, pdu, readDataBytes(request));
    },
  };
}

/** Function 5: one coil. */
export function writeCoilExchange(unit: number, address: number, isOn: boolean): Exchange {
  checkPlace(address, 1, 1);
  return echoed(unit, `coil ${address}`, words(5, [address, isOn ? 0xff00 : 0]), 5);
}

/** Function 6: one register. */
export function writeRegisterExchange(unit: number, address: number, value: number): Exchange {
  checkPlace(address, 1, 1);
  return echoed(unit, `holding ${address}`, words(6, [address, value]), 5);
}

/** Function 15: coils, here always one (for devices without function 5). */
export function writeCoilsExchange(unit: number, address: number, isOn: boolean): Exchange {
  checkPlace(address, 1, 1);
  const pdu = Buffer.concat([words(15, [address, 1]), Buffer.from([1, isOn ? 1 : 0])]);
  return echoed(unit, `coil ${address}`, pdu, 5);
}

/** Function 16: registers; `bytes` in the order in which they go on the wire. */
export function writeRegistersExchange(unit: number, start: number, bytes: Buffer): Exchange {
  const count = bytes.length / 2;
  checkPlace(start, count, 123);
  const pdu = Buffer.concat([words(16, [start, count]), Buffer.from([bytes.length]), bytes]);
  return echoed(unit, `holding ${rangeText(start, count)}`, pdu, 5);
}

/** Function 22: register = (register AND `andMask`) OR (`orMask` AND NOT `andMask`). */
export function maskWriteExchange(unit: number, address: number, andMask: number, orMask: number): Exchange {
  checkPlace(address, 1, 1);
  return echoed(unit, `holding ${address}`, words(22, [address, andMask, orMask]), 7);
}

/** Function 23: writes registers, then reads registers, in one request. */
export function readWriteExchange(read: ReadRequest, writeStart: number, bytes: Buffer): Exchange {
  const { unit, start, count } = read;
  checkPlace(start, count, 125);
  checkPlace(writeStart, bytes.length / 2, 121);
  const what = `holding ${rangeText(start, count)}`;
  return {
    unit,
    what,
    pdu: Buffer.concat([words(23, [start, count, writeStart, bytes.length / 2]), Buffer.from([bytes.length]), bytes]),
    read,
    answerBytes: (begin) => exceptionBytes(begin) ?? (begin.length < 2 ? undefined : 2 + (begin[1] ?? 0)),
    readAnswer: (pdu) => {
      checkFunction({ unit, what }, 23, pdu);
      return counted({ unit, what }, pdu, count * 2);
    },
  };
}

/** A write whose answer repeats the first `bytes` of the request. */
function echoed(unit: number, what: string, pdu: Buffer, bytes: number): Exchange {
  return {
    unit,
    what,
    pdu,
    answerBytes: (begin) => exceptionBytes(begin) ?? bytes,
    readAnswer: (answer) => {
      checkFunction({ unit, what }, pdu[0] ?? 0, answer);
      if (!answer.equals(pdu.subarray(0, bytes))) {
        throw new ModbusWrongAnswerError({ unit, what }, `${answer.toString('hex')} instead of ${pdu.toString('hex', 0, bytes)}`);
      }
      return answer;
    },
  };
}

/** Throws for exceptions and for the answer of another function. */
export function checkFunction(asked: { readonly unit: number; readonly what: string }, expected: number, pdu: Buffer): void {
  const answered = pdu[0];
  if (answered === (expected | 0x80) && pdu.length === 2) throw new ModbusExceptionError(asked, pdu[1] ?? 0);
  if (answered !== expected) throw new ModbusWrongAnswerError(asked, `function ${answered} instead of ${expected}`);
}

/** Length of an exception answer; undefined for any other. */
export function exceptionBytes(begin: Buffer): number | undefined {
  return ((begin[0] ?? 0) & 0x80) === 0 ? undefined : 2;
}

function counted(asked: { readonly unit: number; readonly what: string }, pdu: Buffer, expectedBytes: number): Buffer {
  if (pdu[1] !== expectedBytes || pdu.length !== 2 + expectedBytes) {
    throw new ModbusWrongAnswerError(asked, `${pdu.length - 2} data bytes (announced: ${pdu[1]}) instead of ${expectedBytes}`);
  }
  return pdu.subarray(2);
}

/** The planner and the config keep to this; a request that breaks it is a bug and must not reach a machine. */
function checkPlace(start: number, count: number, most: number): void {
  if (!Number.isInteger(count) || count < 1 || count > most || start < 0 || start + count > 65_536) {
    throw new RangeError(`no Modbus request can ask for ${count} at ${start}`);
  }
}

function words(functionCode: number, values: readonly number[]): Buffer {
  const pdu = Buffer.allocUnsafe(1 + values.length * 2);
  pdu[0] = functionCode;
  values.forEach((value, i) => {
    pdu.writeUInt16BE(value & 0xffff, 1 + i * 2);
  });
  return pdu;
}

function rangeText(start: number, count: number): string {
  return count > 1 ? `${start}–${start + count - 1}` : String(start);
}
