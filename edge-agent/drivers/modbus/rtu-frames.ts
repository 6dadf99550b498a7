import { hasRightChecksum } from './crc16.ts';
import type { Exchange } from './pdu.ts';

/**
 * Cuts what arrives on a serial line into frames. Nothing marks their ends but silence, which adapters and networks do not carry faithfully:
 * the length follows from the function instead, and the checksum decides.
 *
 * - The answer to what was asked, and well-formed answers of other units or to other requests, are cut out one by one.
 * - With anything else the reader has lost its place: it drops all until the line was silent.
 * - A frame that repeats the request is the echo of a two-wire adapter, not an answer.
 */

/** Longest frame: unit, PDU of 253 bytes, checksum. */
const maxFrameBytes = 256;

export class RtuFrames {
  #exchange: Exchange | undefined;
  #request: Buffer = Buffer.alloc(0);
  #bytes: Buffer = Buffer.alloc(0);
  #isSkipping = false;
  #mayBeEcho = false;
  #hasEcho = false;
  #problem: string | undefined;

  /** Forgets what came before: from now on the answer to `request` (a whole frame) is expected. */
  expect(exchange: Exchange, request: Buffer): void {
    this.#exchange = exchange;
    this.#request = request;
    this.#bytes = Buffer.alloc(0);
    this.#isSkipping = false;
    this.#mayBeEcho = true;
    this.#problem = undefined;
  }

  /** What was wrong with what came since `expect`; undefined when nothing was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Takes what arrived and calls `onFrame` with whole frames, until it says that it needs no more. */
  push(chunk: Buffer, afterSilence: boolean, onFrame: (frame: Buffer) => 'more' | 'done'): void {
    if (this.#isSkipping && !afterSilence) return;
    this.#isSkipping = false;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let frame = this.#cut(); frame !== undefined; frame = this.#cut()) {
      if (onFrame(frame) === 'done') return;
    }
  }

  #cut(): Buffer | undefined {
    if (!this.#passEcho()) return undefined;
    this.#passGlitches();
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const pduBytes = this.#answerBytes(bytes.subarray(1));
    if (pduBytes === 'unknown') return this.#skip('an unknown function');
    if (pduBytes === undefined) return undefined;
    const frameBytes = 3 + pduBytes;
    if (frameBytes > maxFrameBytes) return this.#skip('an impossible length');
    if (bytes.length < frameBytes) return undefined;
    const frame = bytes.subarray(0, frameBytes);
    if (!hasRightChecksum(frame)) return this.#skip('a wrong checksum');
    this.#bytes = bytes.subarray(frameBytes);
    return frame;
  }

  /** False while what came may become an echo. */
  #passEcho(): boolean {
    if (!this.#mayBeEcho || this.#bytes.length === 0) return true;
    const length = Math.min(this.#bytes.length, this.#request.length);
    if (!this.#bytes.subarray(0, length).equals(this.#request.subarray(0, length))) {
      this.#mayBeEcho = false;
      return true;
    }
    // The answer to writing one coil or register repeats the request: only a line that is known to echo sends it twice.
    if (isRepeatedByItsAnswer(this.#request) && !this.#hasEcho) return true;
    if (length < this.#request.length) return false;
    this.#hasEcho = true;
    this.#mayBeEcho = false;
    this.#bytes = this.#bytes.subarray(length);
    return true;
  }

  /** Turning the line around can look like a byte of only zeros or ones. */
  #passGlitches(): void {
    const unit = this.#exchange?.unit;
    while (this.#bytes.length > 0 && (this.#bytes[0] === 0 || this.#bytes[0] === 0xff) && this.#bytes[0] !== unit) {
      this.#bytes = this.#bytes.subarray(1);
    }
  }

  #answerBytes(pdu: Buffer): number | 'unknown' | undefined {
    const asked = this.#request[1] ?? 0;
    const answered = (pdu[0] ?? 0) & 0x7f;
    if (answered === asked && this.#exchange !== undefined) return this.#exchange.answerBytes(pdu);
    if (((pdu[0] ?? 0) & 0x80) !== 0) return 2;
    if ((answered >= 1 && answered <= 4) || answered === 23) return pdu.length < 2 ? undefined : 2 + (pdu[1] ?? 0);
    if (answered === 5 || answered === 6 || answered === 15 || answered === 16) return 5;
    return answered === 22 ? 7 : 'unknown';
  }

  #skip(problem: string): undefined {
    this.#problem = problem;
    this.#isSkipping = true;
    this.#bytes = Buffer.alloc(0);
    return undefined;
  }
}

function isRepeatedByItsAnswer(request: Buffer): boolean {
  return request[1] === 5 || request[1] === 6 || request[1] === 22;
}
