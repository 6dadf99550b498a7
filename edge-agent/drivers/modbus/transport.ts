import type { Clock } from '@nhip/core/process/env';
import type { Endpoint } from './endpoint.ts';
import type { Link } from './link.ts';
import { createListenLink } from './listen-link.ts';
import type { Exchange } from './pdu.ts';
import { RtuTransport } from './rtu-transport.ts';
import { createSerialLink, type SerialOptions } from './serial-link.ts';
import { createTcpLink } from './tcp-link.ts';
import { TcpTransport } from './tcp-transport.ts';

/** Requests to the units behind one endpoint, one at a time, whatever carries them. */
export interface ModbusTransport {
  /** Rejects when the connection fails or the signal aborts. Once per transport. */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * Resolves with what the answer carries. Rejects with `ModbusTimeoutError`, `ModbusExceptionError`, `ModbusWrongAnswerError`,
   * `ConnectionLostError`, or the signal's reason. Never concurrent.
   */
  send(exchange: Exchange, signal: AbortSignal): Promise<Buffer>;
  /** Drops the connection and settles the request in flight. Any time, any number of times. */
  close(): void;
}

export interface TransportOptions {
  readonly timeoutMs: number;
  /** Modbus TCP only: takes answers in which the gateway wrote another unit id than was asked. */
  readonly acceptsAnyUnit: boolean;
  readonly serial: SerialOptions;
  /** Serial lines and RTU over TCP: how long a unit that did not answer in time is left alone. */
  readonly lateAnswerMs: number;
}

/** The transport for an endpoint; opens nothing yet. */
export function createTransport(endpoint: Endpoint, options: TransportOptions, clock: Clock): ModbusTransport {
  const link = linkTo(endpoint, options.serial);
  if (endpoint.framing === 'tcp') return new TcpTransport(link, { ...options, clock });
  const silentMs = endpoint.kind === 'serial' ? silenceMs(options.serial) : tcpSilenceMs;
  return new RtuTransport(link, { ...options, clock, silentMs, transmitMs: transmitMs(endpoint, options.serial) });
}

function linkTo(endpoint: Endpoint, serial: SerialOptions): Link {
  if (endpoint.kind === 'serial') return createSerialLink(endpoint.path, serial);
  return endpoint.kind === 'listen' ? createListenLink(endpoint.host, endpoint.port) : createTcpLink(endpoint.host, endpoint.port);
}

/** A serial server has kept the silence on its line already; this only lets go what it still had in its buffers. */
const tcpSilenceMs = 2;

/** Time of one character on the line, ms: start bit, data, parity, stop bits. */
export function characterMs(serial: SerialOptions): number {
  return ((1 + serial.dataBits + (serial.parity === 'none' ? 0 : 1) + serial.stopBits) * 1000) / serial.baudRate;
}

/** The silence between two frames: 3.5 characters, and 1.75 ms above 19200 baud (Modbus over Serial Line V1.02 §2.5.1.1). */
export function silenceMs(serial: SerialOptions): number {
  return serial.baudRate > 19_200 ? 1.75 : 3.5 * characterMs(serial);
}

function transmitMs(endpoint: Endpoint, serial: SerialOptions): (bytes: number) => number {
  const perCharacter = characterMs(serial);
  return (bytes) => (endpoint.kind === 'serial' ? bytes * perCharacter : 0);
}
