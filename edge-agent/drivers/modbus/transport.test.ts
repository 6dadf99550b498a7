import type { Socket } from 'node:net';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionLostError } from '../../driver.ts';
import { exceptionFrame, frame, type ModbusWire, registersFrame, startModbusWire, type WireRequest } from '../../testing/modbus-wire.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { ModbusExceptionError, ModbusTimeoutError, ModbusWrongAnswerError } from './errors.ts';
import type { Link } from './link.ts';
import { type ReadRequest, readExchange } from './pdu.ts';
import { createTcpLink } from './tcp-link.ts';
import { TcpTransport } from './tcp-transport.ts';

const timeoutMs = 150;
const never = new AbortController().signal;
const one = (start: number, unit = 1): ReadRequest => ({ unit, table: 'holding', start, count: 1 });

const tcpTo = (port: number): TcpTransport =>
  new TcpTransport(createTcpLink('127.0.0.1', port), { timeoutMs, acceptsAnyUnit: false, clock: createNodeClock() });

describe('the Modbus TCP transport', () => {
  let wire: ModbusWire;
  let transport: TcpTransport;
  afterEach(async () => {
    transport.close();
    await wire.close();
  });

  const open = async (answer: (request: WireRequest, socket: Socket) => void): Promise<void> => {
    wire = await startModbusWire(answer);
    transport = tcpTo(wire.port);
    await transport.connect(never);
  };
  const value = async (request: ReadRequest): Promise<number> => (await transport.send(readExchange(request), never)).readUInt16BE(0);
  const right = (request: WireRequest, socket: Socket): void => {
    socket.write(registersFrame(request, (address) => address + 1000));
  };

  it('never takes a late answer for the next one', async () => {
    let late: (() => void) | undefined;
    await open((request, socket) => {
      if (request.start === 1) late = () => right(request, socket);
      else {
        late?.();
        right(request, socket);
      }
    });
    await expect(value(one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
    expect(await value(one(2))).toBe(1002);
    expect(await value(one(3))).toBe(1003);
  });

  it('does not use an id again while its answer may still come, not even after 65536 requests', async () => {
    wire = await startModbusWire(right);
    const ids: number[] = [];
    let deliver: (chunk: Buffer) => void = () => {};
    let lost: Buffer | undefined;
    const link: Link = {
      name: 'memory',
      open: async (events) => {
        deliver = events.data;
      },
      write: (bytes) => {
        const [id, start] = [bytes.readUInt16BE(0), bytes.readUInt16BE(8)];
        const answer = frame(id, 1, [3, 2, (start + 1000) >> 8, (start + 1000) & 0xff]);
        ids.push(id);
        if (lost === undefined) {
          lost = answer;
          return;
        }
        if (start === 7) deliver(lost);
        deliver(answer);
      },
      close: () => {},
    };
    transport = new TcpTransport(link, { timeoutMs, acceptsAnyUnit: false, clock: createNodeClock() });
    await transport.connect(never);
    await expect(value(one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
    for (let i = 0; i < 65_535; i++) await transport.send(readExchange(one(2)), never);
    expect(new Set(ids.slice(1)).size).toBe(65_535);
    expect(ids.slice(1)).not.toContain(ids[0]);
    expect(await value(one(7))).toBe(1007);
  });

  it('drops answers with an id that was never asked for', async () => {
    await open((request, socket) => {
      socket.write(registersFrame({ ...request, id: (request.id + 77) & 0xffff }, () => 1));
      right(request, socket);
    });
    expect(await value(one(5))).toBe(1005);
  });

  it('keeps two answers in one chunk apart', async () => {
    await open((request, socket) => {
      const foreign = registersFrame({ ...request, id: (request.id + 1) & 0xffff }, () => 6666);
      socket.write(Buffer.concat([registersFrame(request, (address) => address), foreign]));
    });
    for (let i = 1; i < 20; i++) expect(await value(one(i))).toBe(i);
  });

  it('puts answers together from single bytes', async () => {
    await open((request, socket) => {
      const bytes = registersFrame(request, (address) => address + 1000);
      const writeFrom = (at: number): void => {
        if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => setImmediate(writeFrom, at + 1));
      };
      writeFrom(0);
    });
    expect(await value(one(1))).toBe(1001);
    const many = await transport.send(readExchange({ unit: 1, table: 'input', start: 0, count: 10 }), never);
    expect(many.readUInt16BE(18)).toBe(1009);
  });

  it.each([
    ['another unit', (request: WireRequest) => registersFrame({ ...request, unit: request.unit + 1 }, () => 1)],
    ['another function', (request: WireRequest) => registersFrame({ ...request, functionCode: 4 }, () => 1)],
    ['too much data', (request: WireRequest) => registersFrame({ ...request, count: 2 }, () => 1)],
    ['no data', (request: WireRequest) => registersFrame({ ...request, count: 0 }, () => 1)],
    ['a byte count that is wrong', (request: WireRequest) => frame(request.id, request.unit, [3, 4, 0, 1])],
    ['the exception of another function', (request: WireRequest) => exceptionFrame({ ...request, functionCode: 4 }, 2)],
    ['an exception that is too long', (request: WireRequest) => frame(request.id, request.unit, [0x83, 2, 0])],
  ])('refuses an answer with %s, and goes on', async (_, wrong) => {
    await open((request, socket) => {
      if (request.start === 1) socket.write(wrong(request));
      else right(request, socket);
    });
    await expect(value(one(1))).rejects.toBeInstanceOf(ModbusWrongAnswerError);
    expect(await value(one(2))).toBe(1002);
  });

  it('tells exceptions with their code', async () => {
    await open((request, socket) => socket.write(exceptionFrame(request, 2)));
    const error = await value(one(1)).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ModbusExceptionError);
    expect(error).toMatchObject({ exceptionCode: 2, message: 'unit 1, holding 1: exception 2 (illegal data address)' });
  });

  it.each([
    ['another protocol', Buffer.from([0, 1, 0, 1, 0, 3, 1, 3, 0])],
    ['a length that no frame has', Buffer.from([0, 1, 0, 0, 0xff, 0xff, 1, 3, 2])],
    ['a length without room for a PDU', Buffer.from([0, 1, 0, 0, 0, 1, 1, 3, 2])],
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('drops the connection when the stream carries %s', async (_, garbage) => {
    await open((_request, socket) => socket.write(garbage));
    await expect(value(one(1))).rejects.toThrow('out of step');
    await expect(value(one(2))).rejects.toBeInstanceOf(ConnectionLostError);
    await waitFor('the connection to end', () => wire.open.size === 0);
  });

  it.each([
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['closes', (socket: Socket) => socket.end()],
  ])('settles the request in flight at once when the device %s the connection', async (_, hangUp) => {
    await open((_request, socket) => hangUp(socket));
    const before = performance.now();
    await expect(value(one(1))).rejects.toBeInstanceOf(ConnectionLostError);
    expect(performance.now() - before).toBeLessThan(timeoutMs);
    await expect(value(one(2))).rejects.toBeInstanceOf(ConnectionLostError);
  });

  it('settles the request in flight when it is closed or its signal aborts', async () => {
    await open(() => {});
    const patience = new AbortController();
    const aborted = transport.send(readExchange(one(1)), patience.signal);
    patience.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const closed = transport.send(readExchange(one(2)), never);
    transport.close();
    await expect(closed).rejects.toBeInstanceOf(ConnectionLostError);
    await waitFor('the connection to end', () => wire.open.size === 0);
  });

  it('leaves no connection behind when connecting is given up', async () => {
    await open(() => {});
    const other = tcpTo(wire.port);
    const patience = new AbortController();
    const connecting = other.connect(patience.signal);
    patience.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    await waitFor('only the first connection to be left', () => wire.open.size === 1);
    await expect(other.connect(never)).rejects.toThrow();
  });

  it('sends what the specification says', async () => {
    await open(right);
    await transport.send(readExchange({ unit: 17, table: 'holding', start: 0x6b, count: 3 }), never);
    expect(wire.requests[0]).toMatchObject({ unit: 17, functionCode: 3, start: 0x6b, count: 3 });
  });
});
