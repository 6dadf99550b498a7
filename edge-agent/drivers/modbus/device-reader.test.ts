import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reading } from '../../driver.ts';
import { modbusConfig } from './config.ts';
import { createCostMeter, expectedCost } from './cost.ts';
import { createDevicePoints } from './device-points.ts';
import { DeviceReader } from './device-reader.ts';
import { ModbusExceptionError, ModbusTimeoutError } from './errors.ts';
import { type ReadRequest, readExchange } from './pdu.ts';

/** A device by its rules: which requests it answers, and how. */
interface Rules {
  /** Exception code for a request, `silence`, or undefined for the values. */
  refuse(request: ReadRequest): number | 'silence' | undefined;
}

function setUp(registers: readonly number[], rules: Rules, options: Record<string, unknown> = {}) {
  const config = modbusConfig.parse({
    id: 'line',
    driver: 'modbus',
    endpoint: 'tcp://127.0.0.1:502',
    devices: [{ id: 'plc', unit: 1, tags: registers.map((at) => ({ metric: `r${at}`, address: `holding:${at}:uint16` })) }],
    ...options,
  });
  const clock = createSimClock();
  const [device] = config.devices;
  if (device === undefined) throw new Error('no device');
  const meter = createCostMeter(expectedCost({ kind: 'tcp', framing: 'tcp', host: '127.0.0.1', port: 502 }, config.serial), false);
  const deps = { clock, random: createSimRandom(1), log: silentLog(), stateDir: '/nonexistent' };
  const reader = new DeviceReader(config, device, createDevicePoints(device, deps.log), meter, deps);
  let requests: ReadRequest[] = [];
  const request = async (wanted: ReadRequest): Promise<Buffer> => {
    requests.push(wanted);
    const refusal = rules.refuse(wanted);
    if (refusal === 'silence') throw new ModbusTimeoutError(readExchange(wanted), 1000);
    if (refusal !== undefined) throw new ModbusExceptionError(readExchange(wanted), refusal);
    const data = Buffer.alloc(wanted.count * 2);
    for (let i = 0; i < wanted.count; i++) data.writeUInt16BE(wanted.start + i, i * 2);
    return data;
  };
  return {
    clock,
    /** One read: the readings by metric, and the requests that it took. */
    read: async (): Promise<{ readings: ReadonlyMap<string, Reading>; requests: readonly ReadRequest[] }> => {
      requests = [];
      const list = await reader.read(request);
      const readings = new Map(list.map((reading) => [reading.metric, reading]));
      expect(readings.size, 'one reading for each metric').toBe(list.length);
      return { readings, requests };
    },
    requests: () => requests,
  };
}

const covers = (request: ReadRequest, address: number): boolean => address >= request.start && address < request.start + request.count;

describe('reading a device', () => {
  it('learns any holes and any largest request, and never reports a wrong or missing value', async () => {
    const arbitrary = fc.record({
      points: fc.uniqueArray(fc.nat(150), { minLength: 1, maxLength: 50 }),
      holes: fc.uniqueArray(fc.nat(150), { maxLength: 30 }),
      largest: fc.integer({ min: 1, max: 125 }),
      code: fc.constantFrom(2, 3, 4),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ points, holes, largest, code }) => {
        const device = setUp(points, {
          refuse: (request) => (request.count > largest || holes.some((hole) => covers(request, hole)) ? code : undefined),
        });
        let last = await device.read();
        for (let i = 0; i < 60; i++) {
          last = await device.read();
          expect(last.requests.length).toBeLessThanOrEqual(points.length + 32);
        }
        for (const at of points) {
          const isHole = holes.includes(at);
          expect(last.readings.get(`r${at}`)).toMatchObject(
            isHole ? { value: null, quality: quality.bad } : { value: at, quality: quality.good },
          );
        }
        // What was learned is not tried again, but for one refused address when there is nothing else to ask for.
        const refused = last.requests.filter((request) => request.count > largest || holes.some((hole) => covers(request, hole)));
        expect(refused.length).toBeLessThanOrEqual(points.every((at) => holes.includes(at)) ? 1 : 0);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps bridging the gaps of a block in which one address is wrong', async () => {
    const device = setUp([0, 2, 4, 6, 8, 10], {
      refuse: (request) => (covers(request, 4) && request.count === 1 ? 2 : covers(request, 4) ? 2 : undefined),
    });
    for (let i = 0; i < 5; i++) await device.read();
    const { requests } = await device.read();
    expect(requests.map(({ start, count }) => [start, count])).toEqual([
      [0, 3],
      [6, 5],
    ]);
  });

  it('tries a refused address again after ten minutes and takes it back', async () => {
    let broken = true;
    const device = setUp([1, 2, 3], { refuse: (request) => (broken && covers(request, 2) ? 2 : undefined) });
    await device.read();
    expect((await device.read()).readings.get('r2')).toMatchObject({ quality: quality.bad });
    broken = false;
    expect((await device.read()).readings.get('r2')).toMatchObject({ quality: quality.bad });
    await device.clock.advance(11 * 60_000);
    await device.read();
    expect((await device.read()).readings.get('r2')).toMatchObject({ value: 2, quality: quality.good });
  });

  it('costs a dead device one request per read', async () => {
    const device = setUp([0, 50, 100, 150], { refuse: () => 'silence' }, { maxGapWords: 0 });
    for (let i = 0; i < 10; i++) {
      await expect(device.read()).rejects.toBeInstanceOf(ModbusTimeoutError);
      expect(device.requests().length).toBe(1);
    }
  });

  it.each([10, 11])('takes gateway exception %d for a dead device', async (code) => {
    const device = setUp([0], { refuse: () => code });
    await expect(device.read()).rejects.toBeInstanceOf(ModbusExceptionError);
  });

  it('never splits what gets no answer, and reads the rest when one block alone stays silent', async () => {
    const device = setUp([0, 50, 100], { refuse: (request) => (covers(request, 50) ? 'silence' : undefined) }, { maxGapWords: 0 });
    const seen = new Map<string, Reading>();
    for (let i = 0; i < 12; i++) for (const [metric, reading] of (await device.read()).readings) seen.set(metric, reading);
    expect(seen.get('r0')).toMatchObject({ value: 0, quality: quality.good });
    expect(seen.get('r100')).toMatchObject({ value: 100, quality: quality.good });
    expect(seen.get('r50')).toMatchObject({ value: null, quality: quality.stale });
    // Left out for a while: the living blocks keep their rate.
    expect((await device.read()).requests.map((request) => request.start)).not.toContain(50);
    await device.clock.advance(61_000);
    expect((await device.read()).requests.map((request) => request.start)).toContain(50);
  });

  it('keeps the last value through short answers of "busy" and calls it stale after three', async () => {
    let busy = true;
    const device = setUp([0], { refuse: () => (busy ? 6 : undefined) });
    expect((await device.read()).readings.size).toBe(0);
    expect((await device.read()).readings.size).toBe(0);
    expect((await device.read()).readings.get('r0')).toMatchObject({ value: null, quality: quality.stale });
    busy = false;
    expect((await device.read()).readings.get('r0')).toMatchObject({ value: 0, quality: quality.good });
  });

  it('marks a whole table that the device does not have without searching it', async () => {
    const device = setUp([0, 1, 2, 3], { refuse: () => 1 });
    const first = await device.read();
    expect(first.requests.length).toBeLessThanOrEqual(2);
    expect([...first.readings.values()].map((reading) => reading.quality)).toEqual([0, 0, 0, 0]);
  });
});
