import type { Socket } from 'node:net';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionLostError } from '../../driver.ts';
import { startSilentServer } from '../../testing/listen-locally.ts';
import { createSimulatedLine } from '../../testing/modbus-line.ts';
import { exceptionFrame, frame, type ModbusWire, registersFrame, startModbusWire, type WireRequest } from '../../testing/modbus-wire.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { ModbusExceptionError, ModbusTimeoutError, ModbusWrongAnswerError } from './errors.ts';
import { identify } from './identify.ts';
import { type ReadRequest, readExchange } from './pdu.ts';
import { createSerialLink } from './serial-link.ts';
import { createTcpLink } from './tcp-link.ts';
import { TcpTransport } from './tcp-transport.ts';

/**
 * The ways in which a Modbus client can take a wrong value for a right one, lose a request, or keep a connection that is none, as they were
 * found in the libraries in use; one test each. What serial lines add is in rtu-transport.test.ts.
 */

const timeoutMs = 400;
const never = new AbortController().signal;
const one = (start: number, unit = 1): ReadRequest => ({ unit, table: 'holding', start, count: 1 });
const right = (request: WireRequest, socket: Socket): void => {
  socket.write(registersFrame(request, (address) => address + 1000));
};

describe('hazards of Modbus TCP', () => {
  let wire: ModbusWire | undefined;
  const opened: TcpTransport[] = [];
  afterEach(async () => {
    for (const transport of opened.splice(0)) transport.close();
    await wire?.close();
    wire = undefined;
  });
  const open = async (options: { acceptsAnyUnit?: boolean } = {}): Promise<TcpTransport> => {
    const link = createTcpLink('127.0.0.1', wire?.port ?? 0);
    const transport = new TcpTransport(link, { timeoutMs, acceptsAnyUnit: false, clock: createNodeClock(), ...options });
    opened.push(transport);
    await transport.connect(never);
    return transport;
  };
  const value = async (transport: TcpTransport, request: ReadRequest): Promise<number> =>
    (await transport.send(readExchange(request), never)).readUInt16BE(0);

  it('M1 late answer after a reconnect: the old connection cannot reach the new one', async () => {
    let late: (() => void) | undefined;
    wire = await startModbusWire((request, socket) => {
      if (wire?.accepted === 1) late = () => right({ ...request, id: 1 }, socket);
      else {
        late?.();
        right(request, socket);
      }
    });
    const old = await open();
    await expect(value(old, one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
    // The old socket is still open while the new one asks with the same transaction id.
    const fresh = await open();
    expect(await value(fresh, one(2))).toBe(1002);
    await expect(fresh.connect(never)).rejects.toThrow();
  });

  it('M2 transaction ids that come round again after 256 requests', async () => {
    let late: (() => void) | undefined;
    wire = await startModbusWire((request, socket) => {
      if (late === undefined) {
        late = () => right(request, socket);
        return;
      }
      if (request.start === 7) late();
      right(request, socket);
    });
    const transport = await open();
    await expect(value(transport, one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
    for (let i = 0; i < 255; i++) expect(await value(transport, one(2))).toBe(1002);
    expect(await value(transport, one(7))).toBe(1007);
  });

  it('M3 two requests at once are refused, not mixed up', async () => {
    wire = await startModbusWire(right);
    const transport = await open();
    const first = value(transport, one(1));
    await expect(value(transport, one(2))).rejects.toThrow('already in flight');
    expect(await first).toBe(1001);
  });

  it('M4 identification with "more follows" and no second page ends, and so does one that never ends', async () => {
    const pages: number[] = [];
    const page = (more: number, next: number): Buffer => Buffer.from([14, 1, 1, more, next, 1, next, 2, 65, 66]);
    const silent = identify(1, async (exchange) => {
      pages.push(exchange.pdu[3] ?? 0);
      if (pages.length > 1) throw new ModbusTimeoutError(exchange, 100);
      return page(0xff, 2);
    });
    await expect(silent).rejects.toBeInstanceOf(ModbusTimeoutError);
    pages.length = 0;
    const endless = await identify(1, async (exchange) => {
      pages.push(exchange.pdu[3] ?? 0);
      return page(0xff, ((exchange.pdu[3] ?? 0) + 1) & 0xff);
    });
    expect(pages.length).toBeLessThanOrEqual(32);
    expect(endless?.ProductCode).toBe('AB');
  });

  it('M5 a reset is noticed at once, with and without a request in flight', async () => {
    wire = await startModbusWire((_request, socket) => socket.resetAndDestroy());
    const asking = await open();
    await expect(value(asking, one(1))).rejects.toBeInstanceOf(ConnectionLostError);
    const idle = await open();
    for (const socket of wire.open) socket.resetAndDestroy();
    await waitFor('the reset to be noticed', () => wire?.open.size === 0);
    await expect(value(idle, one(1))).rejects.toBeInstanceOf(ConnectionLostError);
  });

  it('M6 a connection that the device ends settles the request in flight, and closing it then does not hang', async () => {
    wire = await startModbusWire((_request, socket) => socket.end());
    const transport = await open();
    await expect(value(transport, one(1))).rejects.toBeInstanceOf(ConnectionLostError);
    transport.close();
    transport.close();
  });

  it('M7 closing settles the request in flight', async () => {
    wire = await startModbusWire(() => {});
    const transport = await open();
    const pending = value(transport, one(1));
    transport.close();
    await expect(pending).rejects.toBeInstanceOf(ConnectionLostError);
  });

  it('M8 a connect that is given up leaves no connection behind on the device', async () => {
    const server = await startSilentServer();
    const transport = new TcpTransport(createTcpLink('127.0.0.1', server.port), {
      timeoutMs,
      acceptsAnyUnit: false,
      clock: createNodeClock(),
    });
    const patience = new AbortController();
    const connecting = transport.connect(patience.signal);
    patience.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    await waitFor('no connection to be left', () => server.open.size === 0);
    await server.close();
  });

  it.each([
    ['an impossible length', [0, 1, 0, 0, 0xff, 0xff, 1, 3, 2]],
    ['another protocol', [0, 1, 0, 7, 0, 5, 1, 3, 2, 0, 1]],
  ])('M9 a stream that is out of step by %s ends the connection', async (_, bytes) => {
    wire = await startModbusWire((_request, socket) => socket.write(Buffer.from(bytes)));
    const transport = await open();
    await expect(value(transport, one(1))).rejects.toBeInstanceOf(ConnectionLostError);
    await expect(value(transport, one(2))).rejects.toBeInstanceOf(ConnectionLostError);
    await waitFor('the connection to end', () => wire?.open.size === 0);
  });

  it('half-open: a device that is gone without a word costs one timeout, never an old value', async () => {
    let gone = false;
    wire = await startModbusWire((request, socket) => {
      if (!gone) right(request, socket);
    });
    const transport = await open();
    expect(await value(transport, one(1))).toBe(1001);
    gone = true;
    await expect(value(transport, one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
  });

  it('M10 an answer of the wrong length or function is refused', async () => {
    wire = await startModbusWire((request, socket) => {
      if (request.start === 1) socket.write(registersFrame({ ...request, count: 2 }, () => 1));
      else socket.write(frame(request.id, request.unit, [4, 2, 0, 1]));
    });
    const transport = await open();
    await expect(value(transport, one(1))).rejects.toBeInstanceOf(ModbusWrongAnswerError);
    await expect(value(transport, one(2))).rejects.toBeInstanceOf(ModbusWrongAnswerError);
  });

  it.each([0, 255])('M11 a gateway that answers as unit %d is refused, and taken when the config says so', async (unit) => {
    wire = await startModbusWire((request, socket) => right({ ...request, unit }, socket));
    await expect(value(await open(), one(1, 5))).rejects.toBeInstanceOf(ModbusWrongAnswerError);
    expect(await value(await open({ acceptsAnyUnit: true }), one(1, 5))).toBe(1001);
  });

  it('M12 a serial port is opened by its name alone: nothing lists ports, which would need udev', async () => {
    const link = createSerialLink('/dev/nhip-no-such-port', { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 });
    await expect(link.open({ data: () => {}, lost: () => {} }, never)).rejects.toThrow('is the adapter plugged in?');
    link.close();
  });

  it('M12 a missing serialport package is one clear sentence', async () => {
    const serial = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
    const link = createSerialLink('/dev/ttyUSB0', serial, async () => {
      throw new ConnectionLostError('serial lines need the package serialport');
    });
    await expect(link.open({ data: () => {}, lost: () => {} }, never)).rejects.toThrow('need the package serialport');
  });

  it('M13 options are not changed', () => {
    const options = Object.freeze({ timeoutMs, acceptsAnyUnit: false, clock: createNodeClock() });
    expect(() => new TcpTransport(createTcpLink('127.0.0.1', 1), options)).not.toThrow();
  });

  it('M14 a device that reads nothing does not make requests pile up: each is settled by its timeout', async () => {
    wire = await startModbusWire(() => {});
    const transport = await open();
    for (const socket of wire.open) socket.pause();
    for (let i = 0; i < 3; i++) await expect(value(transport, one(i))).rejects.toBeInstanceOf(ModbusTimeoutError);
  });

  it('takes exceptions only with the id that was asked', async () => {
    wire = await startModbusWire((request, socket) => {
      socket.write(exceptionFrame({ ...request, id: request.id + 1 }, 2));
      right(request, socket);
    });
    expect(await value(await open(), one(1))).toBe(1001);
  });

  it('never accepts a wrong value, whatever bytes arrive between, before and instead of the right answers', async () => {
    const step = fc.record({
      kind: fc.constantFrom('right', 'right', 'late', 'foreign id', 'flipped', 'random', 'cut', 'twice'),
      at: fc.nat(200),
      mask: fc.integer({ min: 1, max: 255 }),
      noise: fc.uint8Array({ maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.integer({ min: 1, max: 3 }), async (steps, count) => {
        const clock = createSimClock();
        let number = 0;
        const line = createSimulatedLine(clock, (request, arrive) => {
          const { kind, at, mask, noise } = steps[number++ % steps.length] as (typeof steps)[number];
          const start = request.readUInt16BE(8);
          const data = Array.from({ length: count }, (_, i) => start + i + 1000).flatMap((each) => [each >> 8, each & 0xff]);
          const answer = frame(request.readUInt16BE(0), request[6] ?? 0, [3, data.length, ...data]);
          if (kind === 'late') arrive(answer, 3 * timeoutMs);
          else if (kind === 'foreign id')
            arrive(frame(request.readUInt16BE(0) + 1 + (at % 50), 1, [3, data.length, ...data.map(() => 6)]), 1);
          else if (kind === 'random') arrive(Buffer.from(noise), 1);
          else if (kind === 'cut') arrive(answer.subarray(0, at % answer.length), 1);
          else if (kind === 'flipped') {
            // The bytes that say whose answer it is; no checksum guards the data of Modbus TCP, TCP's own does.
            const damaged = Buffer.from(answer);
            damaged[at % 9] = (damaged[at % 9] ?? 0) ^ mask;
            arrive(damaged, 1);
          } else arrive(kind === 'twice' ? Buffer.concat([answer, answer]) : answer, 1);
        });
        const transport = new TcpTransport(line.link, { timeoutMs, acceptsAnyUnit: false, clock });
        await transport.connect(never);
        for (let i = 0; i < steps.length; i++) {
          const request: ReadRequest = { unit: 1, table: 'holding', start: i * 7, count };
          const outcome = await clock.drive(transport.send(readExchange(request), never)).catch((error: unknown) => error);
          if (outcome instanceof ConnectionLostError) return;
          if (!Buffer.isBuffer(outcome)) {
            expect([ModbusTimeoutError, ModbusWrongAnswerError, ModbusExceptionError].some((type) => outcome instanceof type)).toBe(true);
            continue;
          }
          for (let word = 0; word < count; word++) expect(outcome.readUInt16BE(word * 2)).toBe(i * 7 + word + 1000);
        }
      }),
      { numRuns: 200 },
    );
  });
});
