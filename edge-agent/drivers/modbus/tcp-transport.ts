import type { Clock } from '@nhip/core/process/env';
import { ConnectionLostError } from '../../driver.ts';
import { ModbusWrongAnswerError } from './errors.ts';
import { type InFlight, startInFlight } from './in-flight.ts';
import type { Link } from './link.ts';
import { createLinkUse, type LinkUse } from './link-use.ts';
import type { Exchange } from './pdu.ts';
import type { ModbusTransport } from './transport.ts';

/**
 * Modbus TCP framing (Modbus Messaging on TCP/IP V1.0b §3.1.3): transaction id, protocol id 0, length, unit id, then the PDU.
 *
 * Invariants
 * - One request in flight; many devices and gateways answer no more.
 * - An answer is taken only for the transaction id, unit and function that were asked, with the amount of data that was asked for.
 *   Anything else that is well framed is dropped. An id whose request got no answer is not used again until its late answer came,
 *   or `maxOpenIds` other requests went unanswered after it.
 * - What cannot be a frame (protocol id, length) means that the stream is out of step: the connection is dropped, and with it an answer
 *   that came in the same piece. So it is when a frame that has begun is not complete at the end of the time for the answer.
 * - Every request settles: by its answer, its timeout, its signal, or the end of the connection.
 */

export interface TcpTransportOptions {
  readonly timeoutMs: number;
  readonly acceptsAnyUnit: boolean;
  readonly clock: Clock;
}

const headerBytes = 7;
/** Length field: unit id plus a PDU of 2 to 253 bytes. */
const minLength = 3;
const maxLength = 254;
const maxFrameBytes = 6 + maxLength;
const maxOpenIds = 1024;

export class TcpTransport implements ModbusTransport {
  readonly #link: LinkUse;
  readonly #options: TcpTransportOptions;
  #pending: (InFlight & { readonly id: number }) | undefined;
  #nextId = 1;
  /** Ids of requests that were given up without an answer, oldest first. */
  readonly #openIds = new Set<number>();
  /** Bytes of a frame that is not complete; never more than one frame. */
  readonly #partial = Buffer.alloc(maxFrameBytes);
  #partialBytes = 0;

  constructor(link: Link, options: TcpTransportOptions) {
    this.#link = createLinkUse(link, (reason) => this.#pending?.settle(reason));
    this.#options = options;
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#link.connect((chunk) => this.#receive(chunk), signal);
  }

  async send(exchange: Exchange, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    this.#link.assertOpen();
    if (this.#pending !== undefined) throw new Error('a Modbus request is already in flight');

    const id = this.#takeId();
    const inFlight = startInFlight(exchange, {
      ...this.#options,
      signal,
      onSettled: (answered) => {
        this.#pending = undefined;
        if (answered) return;
        this.#remember(id);
        if (this.#partialBytes > 0)
          this.#link.drop(new ConnectionLostError(`${this.#link.name}: the device stopped in the middle of an answer`));
      },
    });
    this.#pending = { ...inFlight, id };

    const { pdu, unit } = exchange;
    const frame = Buffer.allocUnsafe(headerBytes + pdu.length);
    frame.writeUInt16BE(id, 0);
    frame.writeUInt16BE(0, 2);
    frame.writeUInt16BE(1 + pdu.length, 4);
    frame[6] = unit;
    pdu.copy(frame, headerBytes);
    this.#link.write(frame);
    return inFlight.answer;
  }

  close(): void {
    this.#link.drop(new ConnectionLostError(`${this.#link.name}: closed by the agent`));
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
    let answer: (() => void) | undefined;
    while (at < chunk.length && !this.#link.isLost()) {
      const wanted = this.#wantedBytes();
      const taken = Math.min(wanted, chunk.length - at);
      chunk.copy(this.#partial, this.#partialBytes, at, at + taken);
      this.#partialBytes += taken;
      at += taken;
      if (this.#partialBytes < 6 || !this.#isInStep() || this.#wantedBytes() > 0) continue;
      const frameBytes = this.#partialBytes;
      this.#partialBytes = 0;
      answer = this.#accept(this.#partial.subarray(0, frameBytes)) ?? answer;
    }
    if (!this.#link.isLost()) answer?.();
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
    this.#link.drop(new ConnectionLostError(`${this.#link.name}: the stream is out of step (protocol ${protocol}, length ${length})`));
    return false;
  }

  /** What to do with the frame when the rest of the piece is in order too; undefined for a frame that nobody waits for. */
  #accept(frame: Buffer): (() => void) | undefined {
    const id = frame.readUInt16BE(0);
    const pending = this.#pending;
    if (pending?.id !== id) {
      this.#openIds.delete(id);
      return undefined;
    }
    const { exchange } = pending;
    try {
      if (frame[6] !== exchange.unit && !this.#options.acceptsAnyUnit) throw new ModbusWrongAnswerError(exchange, `unit ${frame[6]}`);
      // A copy: the next frame in the same piece is written over this one.
      const answer = exchange.readAnswer(Buffer.from(frame.subarray(headerBytes)));
      return () => pending.settle(answer);
    } catch (error) {
      return () => pending.settle(error as Error);
    }
  }
}
