import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionLostError } from '../../driver.ts';
import { createSimulatedLine, rtuException, rtuRegisters, type SimulatedLine } from '../../testing/modbus-line.ts';
import { rtuFrame } from './crc16.ts';
import { ModbusExceptionError, ModbusTimeoutError, ModbusWrongAnswerError } from './errors.ts';
import { type Exchange, maskWriteExchange, type ReadRequest, readExchange, writeRegisterExchange } from './pdu.ts';
import { RtuTransport } from './rtu-transport.ts';

const never = new AbortController().signal;
const timeoutMs = 1000;
const one = (start: number, unit = 1): ReadRequest => ({ unit, table: 'holding', start, count: 1 });
const valueAt = (address: number): number => address + 1000;

function setUp(onRequest: (frame: Buffer, arrive: SimulatedLine['arrive'], number: number) => void, lateAnswerMs = 200) {
  const clock = createSimClock();
  let number = 0;
  const line = createSimulatedLine(clock, (frame, arrive) => onRequest(frame, arrive, ++number));
  const transport = new RtuTransport(line.link, { clock, timeoutMs, lateAnswerMs, silentMs: 4, transmitMs: (bytes) => bytes });
  const send = async (exchange: Exchange): Promise<Buffer> => clock.drive(transport.send(exchange, never));
  return {
    clock,
    line,
    transport,
    open: () => transport.connect(never),
    send,
    value: async (request: ReadRequest): Promise<number> => (await send(readExchange(request))).readUInt16BE(0),
  };
}

describe('the RTU transport', () => {
  it('sends what the specification says', async () => {
    const line = setUp((frame, arrive) => arrive(rtuRegisters(frame, valueAt), 5));
    await line.open();
    await line.send(readExchange({ unit: 17, table: 'holding', start: 0x6b, count: 3 }));
    // The read of the specification's example (§6.3), with the checksum that other implementations give for it.
    expect(line.line.sent[0]?.toString('hex')).toBe('1103006b00037687');
  });

  it('puts an answer together from whatever pieces it comes in', async () => {
    const line = setUp((frame, arrive) => {
      for (const [i, byte] of rtuRegisters(frame, valueAt).entries()) arrive(Buffer.from([byte]), 5 + i * 10);
    });
    await line.open();
    expect(await line.value(one(7))).toBe(1007);
  });

  it('never takes a late answer for the next one: it asks for another length first', async () => {
    const line = setUp((frame, arrive, number) => arrive(rtuRegisters(frame, valueAt), number === 1 ? 1500 : 300));
    await line.open();
    await expect(line.value(one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
    // The answer to the first request arrives while the second one waits, with the same unit, function and length.
    expect(await line.value(one(2))).toBe(1002);
    expect(line.line.sent.map((frame) => [frame.readUInt16BE(2), frame.readUInt16BE(4)])).toEqual([
      [1, 1],
      [2, 2],
      [2, 1],
    ]);
    expect(await line.value(one(3))).toBe(1003);
    expect(line.line.sent.length).toBe(4);
  });

  it('asks other units at once after one did not answer, and that unit only after its time for late answers', async () => {
    const line = setUp((frame, arrive) => {
      if (frame[0] !== 1) arrive(rtuRegisters(frame, valueAt), 5);
    });
    await line.open();
    await expect(line.value(one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
    const failedMs = line.clock.monotonic();
    expect(await line.value(one(2, 9))).toBe(1002);
    expect(line.clock.monotonic() - failedMs).toBeLessThan(50);
    await expect(line.value(one(1))).rejects.toBeInstanceOf(ModbusTimeoutError);
    expect(line.clock.monotonic() - failedMs).toBeGreaterThanOrEqual(200 + timeoutMs);
  });

  it('drops the answers of other units and waits on', async () => {
    const line = setUp((frame, arrive) => {
      arrive(
        rtuRegisters(Buffer.from([2, ...frame.subarray(1)]), () => 6666),
        5,
      );
      arrive(rtuRegisters(frame, valueAt), 20);
    });
    await line.open();
    expect(await line.value(one(1))).toBe(1001);
  });

  it('hears the echo of a two-wire adapter and does not take it for an answer', async () => {
    const answering = setUp((frame, arrive) => {
      arrive(frame, 1);
      arrive(rtuRegisters(frame, valueAt), 9);
    });
    await answering.open();
    expect(await answering.value(one(5))).toBe(1005);
    const silent = setUp((frame, arrive, number) => {
      arrive(frame, 1);
      if (number === 1) arrive(rtuRegisters(frame, valueAt), 9);
    });
    await silent.open();
    await silent.value(one(5));
    // Function 6 answers with the request itself: on a line with an echo that must come twice.
    await expect(silent.send(writeRegisterExchange(1, 5, 77))).rejects.toBeInstanceOf(ModbusTimeoutError);
  });

  it.each([
    ['a wrong checksum', (frame: Buffer) => flip(rtuRegisters(frame, valueAt), 4)],
    ['too few registers', (frame: Buffer) => rtuRegisters(Buffer.concat([frame.subarray(0, 4), Buffer.from([0, 1])]), valueAt)],
    ['half an answer', (frame: Buffer) => rtuRegisters(frame, valueAt).subarray(0, 5)],
    ['the checksum bytes swapped', (frame: Buffer) => swapEnd(rtuRegisters(frame, valueAt))],
    ['another function', (frame: Buffer) => rtuRegisters(Buffer.from([frame[0] ?? 0, 4, ...frame.subarray(2)]), valueAt)],
    ['noise', () => Buffer.from('\u0001\u0003noise on the line')],
  ])('refuses an answer with %s, and goes on', async (_, wrong) => {
    const line = setUp((frame, arrive, number) => arrive(number === 1 ? wrong(frame) : rtuRegisters(frame, valueAt), 5));
    await line.open();
    const two: ReadRequest = { unit: 1, table: 'holding', start: 1, count: 2 };
    const outcome = await line.send(readExchange(two)).catch((error: unknown) => error);
    expect(outcome instanceof ModbusTimeoutError || outcome instanceof ModbusWrongAnswerError).toBe(true);
    expect((await line.send(readExchange(two))).readUInt16BE(2)).toBe(1002);
  });

  it('reads over a byte that turning the line around made', async () => {
    const line = setUp((frame, arrive) => arrive(Buffer.concat([Buffer.from([0]), rtuRegisters(frame, valueAt)]), 5));
    await line.open();
    expect(await line.value(one(3))).toBe(1003);
  });

  it('tells exceptions with their code', async () => {
    const line = setUp((frame, arrive) => arrive(rtuException(frame, 2), 5));
    await line.open();
    await expect(line.value(one(1))).rejects.toMatchObject({ exceptionCode: 2 });
  });

  it('sends nothing into a line that is not silent', async () => {
    const line = setUp((frame, arrive) => arrive(rtuRegisters(frame, valueAt), 5));
    await line.open();
    await line.value(one(1));
    for (let i = 0; i < 30; i++) line.line.arrive(Buffer.from([0x55]), i * 3);
    await line.clock.advance(0);
    const startMs = line.clock.monotonic();
    const answer = line.value(one(2));
    await answer;
    expect(line.clock.monotonic() - startMs).toBeGreaterThan(29 * 3);
  });

  it('settles the request in flight when it is closed, when its signal aborts, and knows masks', async () => {
    const line = setUp((frame, arrive) => {
      if (frame[1] === 22) arrive(frame, 5);
    });
    await line.open();
    expect((await line.send(maskWriteExchange(1, 4, 0xf2, 0x25))).toString('hex')).toBe('16000400f20025');
    const patience = new AbortController();
    const aborted = line.transport.send(readExchange(one(1)), patience.signal);
    await line.clock.advance(10);
    patience.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const closed = line.transport.send(readExchange(one(1, 2)), never);
    await line.clock.advance(10);
    line.transport.close();
    await expect(closed).rejects.toBeInstanceOf(ConnectionLostError);
    await expect(line.value(one(1))).rejects.toBeInstanceOf(ConnectionLostError);
  });

  it('never accepts a wrong value, however late, damaged, doubled or mixed up the answers of devices that answer in order are', async () => {
    const fault = fc.record({
      delayMs: fc.oneof(fc.nat(50), fc.nat(3000)),
      kind: fc.constantFrom('right', 'right', 'right', 'flipped', 'cut', 'foreign', 'silent', 'exception', 'noise', 'twice'),
      at: fc.nat(300),
      mask: fc.integer({ min: 1, max: 255 }),
    });
    const asked = fc.record({ unit: fc.constantFrom(1, 2), start: fc.nat(2000), count: fc.integer({ min: 1, max: 4 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { minLength: 30, maxLength: 30 }),
        fc.array(asked, { minLength: 10, maxLength: 20 }),
        async (faults, reads) => {
          /** Until when the unit is busy: a device answers one request after the other. */
          const busyUntilMs = new Map<number, number>();
          const line = setUp((frame, arrive, number) => {
            const { delayMs, kind, at, mask } = faults[number % faults.length] as (typeof faults)[number];
            const unit = frame[0] ?? 0;
            const now = line.clock.monotonic();
            const doneMs = Math.max(now, busyUntilMs.get(unit) ?? 0) + delayMs + 5;
            busyUntilMs.set(unit, doneMs);
            const right = rtuRegisters(frame, valueAt);
            const answers: Record<typeof kind, () => readonly Buffer[]> = {
              right: () => [right],
              twice: () => [Buffer.concat([right, right])],
              flipped: () => [flip(right, at % right.length, mask)],
              cut: () => [right.subarray(0, at % right.length)],
              foreign: () => [rtuRegisters(Buffer.from([unit + 5, ...frame.subarray(1)]), () => 9)],
              silent: () => [],
              exception: () => [rtuException(frame, 6)],
              noise: () => [Buffer.from([at & 255, mask]), right],
            };
            for (const bytes of answers[kind]()) arrive(bytes, doneMs - now);
          }, 50);
          await line.open();
          for (const read of reads) {
            const outcome = await line.send(readExchange({ ...read, table: 'holding' })).catch((error: unknown) => error);
            if (!Buffer.isBuffer(outcome)) {
              expect([ModbusTimeoutError, ModbusWrongAnswerError, ModbusExceptionError].some((type) => outcome instanceof type)).toBe(true);
              continue;
            }
            expect(Array.from({ length: read.count }, (_, i) => outcome.readUInt16BE(i * 2))).toEqual(
              Array.from({ length: read.count }, (_, i) => valueAt(read.start + i)),
            );
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

function flip(frame: Buffer, at: number, mask = 0x10): Buffer {
  const damaged = Buffer.from(frame);
  damaged[at] = (damaged[at] ?? 0) ^ mask;
  return damaged;
}

function swapEnd(frame: Buffer): Buffer {
  return Buffer.from([...frame.subarray(0, -2), frame.at(-1) ?? 0, frame.at(-2) ?? 0]);
}

describe('the checksum', () => {
  it('is the one of the specification', () => {
    expect(rtuFrame(2, Buffer.from([7])).toString('hex')).toBe('02074112');
  });
});
