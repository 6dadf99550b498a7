import { createServer, type Socket } from 'node:net';
import { ownProcessorS, serveReports } from './beside.ts';
import { givenTask } from './run-apart.ts';

/**
 * Modbus TCP machines made to be cheaper than any agent that reads them: the registers of every moment are prepared in memory and an
 * answer is one copy. Every endpoint answers for every unit; holding registers only, a float in each pair. A unit goes on to its next
 * moment with each read that begins at register 0, and that is what the journal keeps.
 */
export interface MachinesTask {
  readonly endpoints: number;
  /** Values that are new at every moment; the others never change. */
  readonly changing: 'all' | 'half';
}

/** After the first message, which says the ports. */
export interface MachinesReport {
  /** Per unit of an endpoint (`endpoint/unit`): when reads began at register 0, ms of the monotonic clock of the system. */
  readonly reads: ReadonlyMap<string, readonly number[]>;
  readonly nowMs: number;
  readonly processorS: number;
}

const moments = 8;
const registers = 4096;
const requestBytes = 12;

/** The clock that all processes of the system share. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function registersAt(moment: number, changing: MachinesTask['changing']): Buffer {
  const image = Buffer.alloc(registers * 2);
  for (let i = 0; i < registers / 2; i++) {
    const isNew = changing === 'all' || i % 2 === 0;
    image.writeFloatBE(20 + i / 100 + (isNew ? Math.sin(moment + i) * 5 : 0), i * 4);
  }
  return image;
}

interface Unit {
  moment: number;
  readonly reads: number[];
}

const task = givenTask<MachinesTask>();
const images = Array.from({ length: moments }, (_, moment) => registersAt(moment, task.changing));
const units = new Map<string, Unit>();

function unitOf(endpoint: number, id: number): Unit {
  const key = `${endpoint}/${id}`;
  const known = units.get(key);
  if (known !== undefined) return known;
  const made: Unit = { moment: 0, reads: [] };
  units.set(key, made);
  return made;
}

/** The answer to a request of 12 bytes: registers, or exception 2 for what is not there. */
function answer(request: Buffer, endpoint: number): Buffer {
  const start = request.readUInt16BE(8);
  const count = request.readUInt16BE(10);
  const isKnown = request[7] === 3 && count >= 1 && count <= 125 && start + count <= registers;
  const frame = Buffer.allocUnsafe(isKnown ? 9 + count * 2 : 9);
  request.copy(frame, 0, 0, 8);
  frame.writeUInt16BE(frame.length - 6, 4);
  if (!isKnown) {
    frame[7] = (request[7] ?? 0) | 0x80;
    frame[8] = 2;
    return frame;
  }
  const unit = unitOf(endpoint, request[6] ?? 0);
  if (start === 0) {
    unit.moment = (unit.moment + 1) % moments;
    unit.reads.push(monotonicMs());
  }
  frame[8] = count * 2;
  images[unit.moment]?.copy(frame, 9, start * 2, (start + count) * 2);
  return frame;
}

function serve(socket: Socket, endpoint: number): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (; at + requestBytes <= bytes.length; at += requestBytes) socket.write(answer(bytes.subarray(at, at + requestBytes), endpoint));
    rest = bytes.subarray(at);
  });
}

const ports = await Promise.all(
  Array.from({ length: task.endpoints }, (_, endpoint) => {
    const server = createServer((socket) => serve(socket, endpoint));
    return new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }),
);

serveReports({ ports }, () => {
  const reads = new Map([...units].map(([key, unit]) => [key, unit.reads]));
  return { reads, nowMs: monotonicMs(), processorS: ownProcessorS() } satisfies MachinesReport;
});
