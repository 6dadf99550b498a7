import { RetryableError } from '@nhip/core/process/errors';
import type { Exchange } from './pdu.ts';

/** What can become of one request beside its answer; what ends the whole connection is a `ConnectionLostError` of the contract. */

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

/** What became of one request. */
export class ModbusRequestError extends RetryableError {
  /** The message without the place. */
  readonly what: string;
  constructor(code: string, asked: Asked, what: string) {
    super(code, `unit ${asked.unit}, ${asked.what}: ${what}`);
    this.what = what;
  }
}

/** The device answered with an exception. */
export class ModbusExceptionError extends ModbusRequestError {
  readonly exceptionCode: number;
  constructor(asked: Asked, exceptionCode: number) {
    super('modbus.exception', asked, `exception ${exceptionCode} (${exceptionNames[exceptionCode] ?? 'unknown'})`);
    this.exceptionCode = exceptionCode;
  }
}

/** No answer in time. A later answer is never taken for another request's. */
export class ModbusTimeoutError extends ModbusRequestError {
  constructor(asked: Asked, timeoutMs: number) {
    super('modbus.timeout', asked, `no answer within ${timeoutMs} ms`);
  }
}

/** An answer that cannot belong to the request: nothing of it is used. */
export class ModbusWrongAnswerError extends ModbusRequestError {
  constructor(asked: Asked, what: string) {
    super('modbus.wrongAnswer', asked, `the answer has ${what}`);
  }
}

type Asked = Pick<Exchange, 'unit' | 'what'>;
