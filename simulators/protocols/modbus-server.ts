import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '@nhip/core/process/log';
import type { MachineValues } from '../machine.ts';
import type { RegisterPoint, RegisterTable } from '../points.ts';
import { answer, frameOf, nextFrame } from './modbus-frame.ts';
import { createRegisterImage, type RegisterImage } from './register-image.ts';

/** Several PLCs and meters behind one Modbus TCP port, each with its own unit id. */
export interface ModbusServer {
  /** Listens; resolves with the port. Rejects with the system's error, e.g. EADDRINUSE. */
  start(): Promise<number>;
  /**
   * Forces a register (0 to 65535) or bit (0, 1) of a unit until `release`, for tests and fault drills. Throws a RangeError
   * when the unit or the register does not exist.
   */
  setRegister(unit: number, table: RegisterTable, address: number, value: number): void;
  /** Takes back everything that was forced or written. */
  release(): void;
  /** Closes the port and all connections. Idempotent. */
  stop(): Promise<void>;
}

export interface ModbusUnit {
  readonly unit: number;
  readonly points: readonly RegisterPoint[];
  /** Read at every request: a change is visible to the next poll. */
  readonly values: () => MachineValues;
}

/**
 * A unit that does not exist stays silent, as on a bus behind a gateway. Client writes (functions 5, 6, 15, 16) force the
 * register, as a PLC whose program does not own it would keep what was written.
 */
export function createModbusServer(
  config: { readonly host: string; readonly port: number; readonly units: readonly ModbusUnit[] },
  deps: { readonly log: Log },
): ModbusServer {
  const images = new Map<number, RegisterImage>();
  for (const { unit, points, values } of config.units) {
    if (images.has(unit)) throw new RangeError(`Modbus unit ${unit} is used twice`);
    images.set(unit, createRegisterImage(points, values));
  }
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that vanishes is normal for a PLC; 'close' follows.
    socket.on('error', () => {});
    serve(socket, images, deps.log);
  });

  return {
    start: () => listen(server, config.host, config.port),
    setRegister(unit, table, address, value) {
      if (images.get(unit)?.force(table, address, value) !== true) {
        throw new RangeError(`unit ${unit} has no ${table} register ${address}`);
      }
    },
    release() {
      for (const image of images.values()) image.release();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(socket: Socket, images: ReadonlyMap<number, RegisterImage>, log: Log): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const replies: Buffer[] = [];
    try {
      for (let frame = nextFrame(rest); frame !== undefined; frame = nextFrame(rest)) {
        const image = images.get(frame.unit);
        if (image !== undefined) replies.push(frameOf(frame.transaction, frame.unit, answer(image, frame.pdu)));
        rest = rest.subarray(frame.size);
      }
    } catch (err) {
      log.warn({ err, client: socket.remoteAddress }, 'Modbus client sent bytes that are not Modbus; connection closed');
      socket.destroy();
      return;
    }
    // A client that does not read its answers is not read from either.
    if (replies.length > 0 && !socket.write(Buffer.concat(replies))) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  });
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
