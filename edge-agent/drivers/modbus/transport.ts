import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '@nhip/core/process/env';
import { ConnectionLostError } from '../../driver.ts';
import { ModbusTimeoutError, ModbusWrongAnswerError, type ReadRequest, readAnswer, readRequestBytes, writeReadRequest } from './pdu.ts';

/**
 * Modbus TCP framing (Modbus Messaging on TCP/IP V1.0b §3.1.3): transaction id, protocol id 0, length, unit id, then the PDU.
 *
 * Invariants
 * - One request in flight; many devices and gateways answer no more.
 * - An answer is taken only for the transaction id, unit and function that were asked, with the amount of data that was asked for.
 *   Anything else that is well framed is dropped. An id whose request got no answer is not used again until its late answer came,
 *   or `maxOpenIds` other requests went unanswered after it.
 * - What cannot be a frame (protocol id, length) means that the stream is out of step: the connection is dropped.
 * - Every request settles: by its answer, its timeout, its signal, or the end of the connection.
 */

export interface ModbusTransport {
  /** Rejects when the connection fails or the signal aborts. */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * Resolves with the data bytes of the answer. Rejects with `ModbusTimeoutError`,
   * `ModbusExceptionError`, `ModbusWrongAnswerError`, `ConnectionLostError`, or the signal's reason. Never concurrent.
   */
  read(request: ReadRequest, signal: AbortSignal): Promise<Buffer>;
  /** Drops the connection and settles the request in flight. Any time, any number of times. */
  close(): void;
}

export interface TcpTransportOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const headerBytes = 7;
/** Length field: unit id plus a PDU of 2 to 253 bytes. */
const minLength = 3;
const maxLength = 254;
const maxFrameBytes = 6 + maxLength;
const maxOpenIds = 1024;
const keepAliveMs = 10_000;

interface Pending {
  readonly id: number;
  readonly request: ReadRequest;
  settle(answer: Buffer | Error): void;
}

export function createTcpTransport(options: TcpTransportOptions): ModbusTransport {
  return new TcpTransport(options);
}

class TcpTransport implements ModbusTransport {
  readonly #options: TcpTransportOptions;
  readonly #endpoint: string;
  #socket: Socket | undefined;
  #lost: Error | undefined;
  #pending: Pending | undefined;
  #nextId = 1;
  /** Ids of requests that were given up without an answer, oldest first. */
  readonly #openIds = new Set<number>();
  /** Bytes of a frame that is not complete; never more than one frame. */
  readonly #partial = Buffer.alloc(maxFrameBytes);
  #partialBytes = 0;

  constructor(options: TcpTransportOptions) {
    this.#options = options;
    this.#endpoint = `${options.host}:${options.port}`;
  }

  connect(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#lost !== undefined) throw this.#lost;
      const { host, port } = this.#options;
      const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
      this.#socket = socket;
      const abort = (): void => this.#drop(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      signal.addEventListener('abort', abort, { once: true });
      socket.once('connect', () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      socket.on('error', (error) => this.#drop(new ConnectionLostError(`${this.#endpoint}: ${error.message}`, error)));
      socket.on('end', () => this.#drop(new ConnectionLostError(`${this.#endpoint}: the device closed the connection`)));
      socket.on('close', () => {
        signal.removeEventListener('abort', abort);
        this.#drop(new ConnectionLostError(`${this.#endpoint}: the device closed the connection`));
        reject(this.#lost);
      });
      socket.on('data', (chunk) => this.#receive(chunk));
    });
  }

  read(request: ReadRequest, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = this.#socket;
      if (this.#lost !== undefined || socket === undefined) throw this.#lost ?? new ConnectionLostError(`${this.#endpoint}: not connected`);
      if (this.#pending !== undefined) throw new Error('a Modbus request is already in flight');

      const id = this.#takeId();
      let timer: Timer | undefined;
      const settle = (answer: Buffer | Error): void => {
        if (this.#pending?.id !== id) return;
        this.#pending = undefined;
        timer?.cancel();
        signal.removeEventListener('abort', abort);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      const giveUp = (error: Error): void => {
        this.#remember(id);
        settle(error);
      };
      const abort = (): void => giveUp(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      this.#pending = { id, request, settle };
      signal.addEventListener('abort', abort, { once: true });
      timer = this.#options.clock.after(this.#options.timeoutMs, () => giveUp(new ModbusTimeoutError(request, this.#options.timeoutMs)));

      const frame = Buffer.allocUnsafe(headerBytes + readRequestBytes);
      frame.writeUInt16BE(id, 0);
      frame.writeUInt16BE(0, 2);
      frame.writeUInt16BE(1 + readRequestBytes, 4);
      frame[6] = request.unit;
      writeReadRequest(frame, headerBytes, request);
      socket.write(frame);
    });
  }

  close(): void {
    this.#drop(new ConnectionLostError(`${this.#endpoint}: closed by the agent`));
  }

  #takeId(): number {
    let id = this.#nextId;
    while (this.#openIds.has(id)) id = (id + 1) & 0xffff;
    this.#nextId = (id + 1) & 0xffff;
    return id;
  }

  #remember(id: number): void {
    this.#openIds.add(id);
    if (this.#openIds.size <= maxOpenIds) return;
    for (const oldest of this.#openIds) {
      this.#openIds.delete(oldest);
      return;
    }
  }

  /** Cuts the stream into frames, whatever the chunks are. */
  #receive(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.#lost === undefined) {
      const wanted = this.#wantedBytes();
      const taken = Math.min(wanted, chunk.length - at);
      chunk.copy(this.#partial, this.#partialBytes, at, at + taken);
      this.#partialBytes += taken;
      at += taken;
      if (this.#partialBytes < 6 || !this.#isInStep() || this.#wantedBytes() > 0) continue;
      const frameBytes = this.#partialBytes;
      this.#partialBytes = 0;
      this.#accept(this.#partial.subarray(0, frameBytes));
    }
  }

  /** Bytes that are missing: to the length field first, then to the end of the frame. */
  #wantedBytes(): number {
    const frameBytes = this.#partialBytes < 6 ? 6 : 6 + this.#partial.readUInt16BE(4);
    return frameBytes - this.#partialBytes;
  }

  #isInStep(): boolean {
    const protocol = this.#partial.readUInt16BE(2);
    const length = this.#partial.readUInt16BE(4);
    if (protocol === 0 && length >= minLength && length <= maxLength) return true;
    this.#drop(new ConnectionLostError(`${this.#endpoint}: the stream is out of step (protocol ${protocol}, length ${length})`));
    return false;
  }

  #accept(frame: Buffer): void {
    const id = frame.readUInt16BE(0);
    const pending = this.#pending;
    if (pending?.id !== id) {
      this.#openIds.delete(id);
      return;
    }
    const { request } = pending;
    try {
      if (frame[6] !== request.unit) throw new ModbusWrongAnswerError(request, `unit ${frame[6]}`);
      // A copy: the next frame in the same chunk is written over this one before the caller runs.
      pending.settle(Buffer.from(readAnswer(request, frame.subarray(headerBytes))));
    } catch (error) {
      pending.settle(error as Error);
    }
  }

  #drop(reason: Error): void {
    this.#lost ??= reason;
    this.#pending?.settle(this.#lost);
    this.#socket?.destroy();
  }
}
