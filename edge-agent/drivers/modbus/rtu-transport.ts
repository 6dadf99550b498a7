import type { Clock } from '@nhip/core/process/env';
import { ConnectionLostError } from '../../driver.ts';
import { rtuFrame } from './crc16.ts';
import { ModbusExceptionError, ModbusTimeoutError, ModbusWrongAnswerError } from './errors.ts';
import { type InFlight, startInFlight } from './in-flight.ts';
import type { Link } from './link.ts';
import { createLinkUse, type LinkUse } from './link-use.ts';
import { type Exchange, type ReadRequest, readDataBytes, readExchange } from './pdu.ts';
import { RtuFrames } from './rtu-frames.ts';
import type { ModbusTransport } from './transport.ts';
import { createUnanswered } from './unanswered.ts';

/**
 * RTU framing (Modbus over Serial Line V1.02 §2.5.1): unit, PDU, checksum; on a serial line or over a TCP connection to a serial server.
 *
 * Invariants
 * - One request is in flight on the line, for whatever unit.
 * - An answer is taken only from the unit that was asked, for its function, with the amount of data that was asked for and the right
 *   checksum. Whatever else arrives is dropped, and the answer still waited for.
 * - After a request without answer the unit is left alone for `lateAnswerMs`, and a read that the late answer would fit is not sent before
 *   a read of another length has been answered (unanswered.ts).
 * - A request starts after the line was silent for `silentMs`.
 */

export interface RtuTransportOptions {
  readonly timeoutMs: number;
  readonly lateAnswerMs: number;
  readonly silentMs: number;
  /** How long so many bytes take on the line: request and answer get that time beside `timeoutMs`. */
  readonly transmitMs: (bytes: number) => number;
  readonly clock: Clock;
}

/** Unit, function, byte count and checksum around the data of an answer. */
const answerFrameBytes = 5;
/** Answers that a gateway gives instead of the device: they say nothing about the order of answers. */
const gatewayExceptions: readonly number[] = [10, 11];

export class RtuTransport implements ModbusTransport {
  readonly #link: LinkUse;
  readonly #options: RtuTransportOptions;
  readonly #frames = new RtuFrames();
  readonly #unanswered = createUnanswered();
  /** Per unit: until when a late answer may come, monotonic ms. */
  readonly #quietUntilMs = new Map<number, number>();
  #isBusy = false;
  #inFlight: InFlight | undefined;
  /** When the last byte went over the line, monotonic ms. */
  #lastByteMs = Number.NEGATIVE_INFINITY;

  constructor(link: Link, options: RtuTransportOptions) {
    this.#link = createLinkUse(link, (reason) => this.#inFlight?.settle(reason));
    this.#options = options;
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#link.connect((chunk) => this.#receive(chunk), signal);
  }

  async send(exchange: Exchange, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    this.#link.assertOpen();
    if (this.#isBusy) throw new Error('a Modbus request is already in flight');
    this.#isBusy = true;
    try {
      if (exchange.read !== undefined) await this.#settleOlderReads(exchange.read, signal);
      return await this.#exchange(exchange, signal);
    } finally {
      this.#isBusy = false;
    }
  }

  close(): void {
    this.#link.drop(new ConnectionLostError(`${this.#link.name}: closed by the agent`));
  }

  async #settleOlderReads(read: ReadRequest, signal: AbortSignal): Promise<void> {
    const { clock, timeoutMs } = this.#options;
    const probe = this.#unanswered.probeFor(read, clock.monotonic());
    if (probe === undefined) return;
    const exchange = readExchange(probe);
    try {
      await this.#exchange(exchange, signal);
    } catch (error) {
      if (!(error instanceof ModbusExceptionError) || gatewayExceptions.includes(error.exceptionCode)) throw error;
      if (!this.#unanswered.probeRefused(probe, clock.monotonic())) throw new ModbusTimeoutError(exchange, timeoutMs);
    }
  }

  async #exchange(exchange: Exchange, signal: AbortSignal): Promise<Buffer> {
    const { clock, timeoutMs, transmitMs } = this.#options;
    await this.#waitForSilence(exchange, signal);
    const frame = rtuFrame(exchange.unit, exchange.pdu);
    const sendMs = transmitMs(frame.length);
    const answerMs = exchange.read === undefined ? 0 : transmitMs(answerFrameBytes + readDataBytes(exchange.read));
    this.#frames.expect(exchange, frame);
    const inFlight = startInFlight(exchange, {
      clock,
      timeoutMs: timeoutMs + sendMs + answerMs,
      signal,
      timeoutError: () => {
        const { problem } = this.#frames;
        return problem === undefined ? new ModbusTimeoutError(exchange, timeoutMs) : new ModbusWrongAnswerError(exchange, problem);
      },
      onSettled: (answered) => {
        this.#inFlight = undefined;
        if (answered) return;
        const nowMs = clock.monotonic();
        this.#quietUntilMs.set(exchange.unit, nowMs + this.#options.lateAnswerMs);
        if (exchange.read !== undefined) this.#unanswered.add(exchange.read, nowMs);
      },
    });
    this.#inFlight = inFlight;
    this.#lastByteMs = clock.monotonic() + sendMs;
    this.#link.write(frame);
    return inFlight.answer;
  }

  /** Rejects with `ModbusTimeoutError` when the line never falls silent. */
  async #waitForSilence(exchange: Exchange, signal: AbortSignal): Promise<void> {
    const { clock, silentMs, timeoutMs } = this.#options;
    const startMs = Math.max(clock.monotonic(), this.#quietUntilMs.get(exchange.unit) ?? 0);
    this.#quietUntilMs.delete(exchange.unit);
    for (;;) {
      const nowMs = clock.monotonic();
      const waitMs = Math.max(startMs, this.#lastByteMs + silentMs) - nowMs;
      if (waitMs <= 0) break;
      if (nowMs > startMs + timeoutMs) throw new ModbusTimeoutError(exchange, timeoutMs);
      await clock.sleep(waitMs, signal);
      this.#link.assertOpen();
    }
  }

  #receive(chunk: Buffer): void {
    const nowMs = this.#options.clock.monotonic();
    const afterSilence = nowMs - this.#lastByteMs >= this.#options.silentMs;
    this.#lastByteMs = nowMs;
    const inFlight = this.#inFlight;
    if (inFlight === undefined) return;
    this.#frames.push(chunk, afterSilence, (frame) => {
      const { exchange } = inFlight;
      if (frame[0] !== exchange.unit) return 'more';
      try {
        const answer = exchange.readAnswer(Buffer.from(frame.subarray(1, -2)));
        if (exchange.read !== undefined) this.#unanswered.settled(exchange.unit);
        inFlight.settle(answer);
      } catch (error) {
        // The late answer to an older request: ours is still to come.
        if (error instanceof ModbusWrongAnswerError) return 'more';
        if (exchange.read !== undefined) this.#unanswered.refused(exchange.read, nowMs);
        inFlight.settle(error as Error);
      }
      return 'done';
    });
  }
}
