import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality } from '@nhip/core/wire/sample';
import { afterEach, describe, expect, it } from 'vitest';
import { exceptionFrame, type ModbusWire, registersFrame, startModbusWire } from '../../testing/modbus-wire.ts';
import { modbusConfig } from './config.ts';
import { create } from './driver.ts';

const never = new AbortController().signal;

describe('what a device refuses is learned', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'nhip-modbus-'));
  let wire: ModbusWire | undefined;
  let holes = [5];
  afterEach(async () => {
    await wire?.close();
    rmSync(stateDir, { recursive: true, force: true });
    holes = [5];
  });

  /** Registers 0 to 9; a request that covers a hole is refused. */
  const start = async () => {
    wire = await startModbusWire((request, socket) => {
      const isRefused = holes.some((hole) => hole >= request.start && hole < request.start + request.count);
      socket.write(isRefused ? exceptionFrame(request, 2) : registersFrame(request, (address) => address));
    });
    const { endpoint, requests } = wire;
    return {
      requests,
      run: async (clock = createSimClock(), change: object = {}) => {
        const tags = [0, 1, 2, 3, 5, 8, 9].map((at) => ({ metric: `r${at}`, address: `holding:${at}:uint16` }));
        const config = modbusConfig.parse({ id: 'c', driver: 'modbus', endpoint, devices: [{ id: 'd', unit: 1, tags }], ...change });
        const driver = create(config, { clock, random: createSimRandom(1), log: silentLog(), stateDir });
        await driver.connect(never);
        return {
          /** One cycle: good metrics, and how many requests it took. */
          read: async () => {
            const before = requests.length;
            const readings = (await driver.read?.('d', never)) ?? [];
            const good = readings.filter((reading) => reading.quality === quality.good).map(({ metric }) => metric);
            return { good: good.sort().join(' '), requests: requests.length - before };
          },
          close: () => driver.close(),
        };
      },
    };
  };
  const allButHole = { good: 'r0 r1 r2 r3 r8 r9', requests: 2 };

  it('and kept over a restart', async () => {
    const device = await start();
    const first = await device.run();
    expect((await first.read()).requests).toBeGreaterThan(2);
    expect(await first.read()).toEqual(allButHole);
    await first.close();
    const second = await device.run();
    expect(await second.read()).toEqual(allButHole);
    await second.close();
  });

  it('and written soon after it was learned, not only at the end', async () => {
    const device = await start();
    const clock = createSimClock();
    const driver = await device.run(clock);
    await driver.read();
    await clock.advance(11_000);
    await expect.poll(() => readdirSync(join(stateDir, 'modbus')).length).toBe(1);
    await driver.close();
  });

  it('and learned again when the configuration has changed, or the file is damaged', async () => {
    const device = await start();
    const first = await device.run();
    await first.read();
    await first.close();
    const changed = await device.run(createSimClock(), { maxWords: 100 });
    expect((await changed.read()).requests).toBeGreaterThan(2);
    await changed.close();
    const [file] = readdirSync(join(stateDir, 'modbus'));
    for (const content of [
      '{"version":1,"devices":{"d":',
      '[]',
      '{"version":1,"devices":{"d":{"config":"","cuts":{"holding":[-1]},"bad":[]}}}',
    ]) {
      writeFileSync(join(stateDir, 'modbus', file ?? ''), content);
      const damaged = await device.run();
      expect((await damaged.read()).requests).toBeGreaterThan(2);
      expect(await damaged.read()).toEqual(allButHole);
      await damaged.close();
    }
  });

  it('and tried again after ten minutes: what is healed is read in one request again', async () => {
    const device = await start();
    const clock = createSimClock();
    const driver = await device.run(clock);
    await driver.read();
    holes = [];
    expect(await driver.read()).toEqual(allButHole);
    await clock.advance(12 * 60_000);
    for (let i = 0; i < 5; i++) await driver.read();
    expect(await driver.read()).toEqual({ good: 'r0 r1 r2 r3 r5 r8 r9', requests: 1 });
    await driver.close();
  });

  it('and a cut that proves right again is tried half as often each time', async () => {
    const device = await start();
    holes = [6];
    const clock = createSimClock();
    const driver = await device.run(clock);
    for (let i = 0; i < 3; i++) await driver.read();
    const all = { good: 'r0 r1 r2 r3 r5 r8 r9', requests: 2 };
    expect(await driver.read()).toEqual(all);
    let refused = 0;
    for (let minute = 0; minute < 24 * 60; minute += 5) {
      await clock.advance(300_000);
      const cycle = await driver.read();
      expect(cycle.good).toBe(all.good);
      if (cycle.requests > 2) refused++;
    }
    // After 10, 20, 40, … minutes: about seven trials in a day.
    expect(refused).toBeGreaterThanOrEqual(3);
    expect(refused).toBeLessThanOrEqual(10);
    await driver.close();
  });
});
