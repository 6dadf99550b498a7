import { RetryableError } from '@nhip/core/process/errors';
import type { Table } from './address.ts';

/** Requests and answers without their framing (Modbus Application Protocol V1.1b3 §6.1–6.4): the same for TCP and serial lines. */

export interface ReadRequest {
  readonly unit: number;
  readonly table: Table;
  readonly start: number;
  /** Registers or bits. */
  readonly count: number;
}

const readFunctions: Readonly<Record<Table, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 };

const exceptionNames: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledge',
  6: 'device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
};

/** Length of a read request: function, address, quantity. */
export const readRequestBytes = 5;

/** The device answered with an exception. */
export class ModbusExceptionError extends RetryableError {
  readonly exceptionCode: number;
  constructor(request: ReadRequest, exceptionCode: number) {
    super('modbus.exception', `${describe(request)}: exception ${exceptionCode} (${exceptionNames[exceptionCode] ?? 'unknown'})`);
    this.exceptionCode = exceptionCode;
  }
}

/** No answer in time. A later answer is never taken for another request's. */
export class ModbusTimeoutError extends RetryableError {
  constructor(request: ReadRequest, timeoutMs: number) {
    super('modbus.timeout', `${describe(request)}: no answer within ${timeoutMs} ms`);
  }
}

/** An answer that cannot belong to the request: nothing of it is used. */
export class ModbusWrongAnswerError extends RetryableError {
  constructor(request: ReadRequest, what: string) {
    super('modbus.wrongAnswer', `${describe(request)}: the answer has ${what}`);
  }
}

function describe(request: ReadRequest): string {
  const last = request.start + request.count - 1;
  return `unit ${request.unit}, ${request.table} ${request.start}${request.count > 1 ? `–${last}` : ''}`;
}

export function writeReadRequest(target: Buffer, at: number, request: ReadRequest): void {
  target[at] = readFunctions[request.table];
  target.writeUInt16BE(request.start, at + 1);
  target.writeUInt16BE(request.count, at + 3);
}

/**
 * The data bytes of an answer to `request`: registers as they came, bits packed. Throws `ModbusExceptionError`, or
 * `ModbusWrongAnswerError` when the answer belongs to another function or carries another amount of data than was asked for.
 */
export function readAnswer(request: ReadRequest, pdu: Buffer): Buffer {
  const expectedFunction = readFunctions[request.table];
  const answered = pdu[0];
  if (answered === (expectedFunction | 0x80) && pdu.length === 2) throw new ModbusExceptionError(request, pdu[1] ?? 0);
  if (answered !== expectedFunction) throw new ModbusWrongAnswerError(request, `function ${answered} instead of ${expectedFunction}`);
  const isBits = request.table === 'coil' || request.table === 'discrete';
  const expectedBytes = isBits ? Math.ceil(request.count / 8) : request.count * 2;
  if (pdu[1] !== expectedBytes || pdu.length !== 2 + expectedBytes) {
    throw new ModbusWrongAnswerError(request, `${pdu.length - 2} data bytes (announced: ${pdu[1]}) instead of ${expectedBytes}`);
  }
  return pdu.subarray(2);
}
