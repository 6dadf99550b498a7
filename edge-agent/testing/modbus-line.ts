import type { Clock } from '@nhip/core/process/env';
import { rtuFrame } from '../drivers/modbus/crc16.ts';
import type { Link, LinkEvents } from '../drivers/modbus/link.ts';

/** A serial line in a test: hands each request frame to `onRequest`, which says what arrives, and when. */
export interface SimulatedLine {
  readonly link: Link;
  /** Request frames, oldest first. */
  readonly sent: readonly Buffer[];
  /** These bytes arrive after `delayMs`. */
  arrive(bytes: Buffer, delayMs: number): void;
}

export function createSimulatedLine(clock: Clock, onRequest: (frame: Buffer, arrive: SimulatedLine['arrive']) => void): SimulatedLine {
  const sent: Buffer[] = [];
  let events: LinkEvents | undefined;
  const arrive = (bytes: Buffer, delayMs: number): void => {
    clock.after(delayMs, () => events?.data(bytes));
  };
  return {
    sent,
    arrive,
    link: {
      name: 'line',
      open: async (to) => {
        events = to;
      },
      write: (bytes) => {
        sent.push(Buffer.from(bytes));
        onRequest(Buffer.from(bytes), arrive);
      },
      close: () => {
        events = undefined;
      },
    },
  };
}

/** The right answer of a unit to a request to read registers: `valueAt(address)` for each. */
export function rtuRegisters(request: Buffer, valueAt: (address: number) => number): Buffer {
  const start = request.readUInt16BE(2);
  const data = Buffer.alloc(request.readUInt16BE(4) * 2);
  for (let i = 0; i < data.length / 2; i++) data.writeUInt16BE(valueAt(start + i) & 0xffff, i * 2);
  return rtuFrame(request[0] ?? 0, Buffer.concat([Buffer.from([request[1] ?? 0, data.length]), data]));
}

export function rtuException(request: Buffer, code: number): Buffer {
  return rtuFrame(request[0] ?? 0, Buffer.from([(request[1] ?? 0) | 0x80, code]));
}
