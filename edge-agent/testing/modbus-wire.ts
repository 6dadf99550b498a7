import { createServer, type Socket } from 'node:net';
import { listenLocally } from './listen-locally.ts';

/** A Modbus TCP peer that answers whatever a test wants, right or wrong. */
export interface ModbusWire {
  readonly port: number;
  readonly endpoint: string;
  /** Every request that arrived, oldest first. */
  readonly requests: readonly WireRequest[];
  /** Connections accepted so far, and those still open. */
  readonly accepted: number;
  readonly open: ReadonlySet<Socket>;
  close(): Promise<void>;
}

export interface WireRequest {
  readonly id: number;
  readonly unit: number;
  readonly functionCode: number;
  readonly start: number;
  readonly count: number;
}

/** Calls `answer` for each request; it writes to the socket what it likes. */
export async function startModbusWire(answer: (request: WireRequest, socket: Socket) => void): Promise<ModbusWire> {
  const requests: WireRequest[] = [];
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    open.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= 12; rest = rest.subarray(12)) {
        const request = {
          id: rest.readUInt16BE(0),
          unit: rest.readUInt8(6),
          functionCode: rest.readUInt8(7),
          start: rest.readUInt16BE(8),
          count: rest.readUInt16BE(10),
        };
        requests.push(request);
        answer(request, socket);
      }
    });
  });
  const port = await listenLocally(server);
  return {
    port,
    endpoint: `tcp://127.0.0.1:${port}`,
    requests,
    get accepted() {
      return accepted;
    },
    open,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer frame around a PDU. */
export function frame(id: number, unit: number, pdu: readonly number[]): Buffer {
  return Buffer.from([id >> 8, id & 0xff, 0, 0, (pdu.length + 1) >> 8, (pdu.length + 1) & 0xff, unit, ...pdu]);
}

/** The right answer to a request for registers: `valueAt(address)` for each. */
export function registersFrame(request: WireRequest, valueAt: (address: number) => number): Buffer {
  const bytes = Array.from({ length: request.count }, (_, i) => valueAt(request.start + i)).flatMap((value) => [value >> 8, value & 0xff]);
  return frame(request.id, request.unit, [request.functionCode, bytes.length, ...bytes]);
}

export function exceptionFrame(request: WireRequest, code: number): Buffer {
  return frame(request.id, request.unit, [request.functionCode | 0x80, code]);
}
