import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { describe, expect, it } from 'vitest';
import type { Driver, DriverDeps, DriverPlugin } from '../../driver.ts';
import { createConnectionHost } from '../../host/connection-host.ts';
import { createSimulatedLine, rtuRegisters } from '../../testing/modbus-line.ts';
import { recordingSink } from '../../testing/scripted-driver.ts';
import { type ModbusConfig, modbusConfig } from './config.ts';
import { createCostMeter } from './cost.ts';
import { createDevicePoints } from './device-points.ts';
import { DeviceReader } from './device-reader.ts';
import { modbus } from './index.ts';
import { readExchange } from './pdu.ts';
import { RtuTransport } from './rtu-transport.ts';

describe('ten units on one serial line', () => {
  it('one dead unit costs the others nothing that can be seen in their cycles', async () => {
    const units = Array.from({ length: 10 }, (_, i) => i + 1);
    const dead = 4;
    const config = modbusConfig.parse({
      id: 'gateway',
      driver: 'modbus',
      endpoint: 'rtu:///dev/null',
      timeoutMs: 300,
      devices: units.map((unit) => ({ id: `u${unit}`, unit, intervalMs: 1000, tags: [{ metric: 'Level', address: 'holding:0:uint16' }] })),
    });
    const clock = createSimClock();
    /** Per unit: when it was asked. */
    const asked = new Map<number, number[]>(units.map((unit) => [unit, []]));
    const line = createSimulatedLine(clock, (request, arrive) => {
      const unit = request[0] ?? 0;
      asked.get(unit)?.push(clock.monotonic());
      if (unit !== dead)
        arrive(
          rtuRegisters(request, () => unit),
          10,
        );
    });
    const deps = { clock, random: createSimRandom(1), log: silentLog(), stateDir: '/nonexistent' };
    const host = createConnectionHost(
      overLine(line.link, config, deps),
      config,
      recordingSink(() => 0),
      deps,
    );
    host.start();
    const seconds = 600;
    await clock.advance(seconds * 1000);
    for (const unit of units) {
      const times = asked.get(unit) ?? [];
      if (unit === dead) {
        expect(times.length).toBeLessThan(seconds / 20);
        continue;
      }
      expect(times.length).toBeGreaterThanOrEqual(seconds - 2);
      const late = times.slice(1).filter((time, i) => time - (times[i] ?? 0) > 1000 + 350);
      expect(late).toEqual([]);
    }
    const stopped = host.stop();
    await clock.advance(1000);
    await stopped;
  });
});

/** The driver's parts over a simulated line: everything of it but the serial port. */
function overLine(
  link: ReturnType<typeof createSimulatedLine>['link'],
  config: ModbusConfig,
  deps: DriverDeps,
): DriverPlugin<ModbusConfig> {
  const create = (): Driver => {
    const transport = new RtuTransport(link, {
      clock: deps.clock,
      timeoutMs: config.timeoutMs,
      lateAnswerMs: 200,
      silentMs: 4,
      transmitMs: (bytes) => bytes,
    });
    const readers = new Map(
      config.devices.map((device) => [
        device.id,
        new DeviceReader(config, device, createDevicePoints(device, deps.log), createCostMeter({ requestMs: 20, wordMs: 2 }, true), deps),
      ]),
    );
    return {
      connect: (signal) => transport.connect(signal),
      read: async (deviceId, signal) => readers.get(deviceId)?.read((request) => transport.send(readExchange(request), signal)) ?? [],
      close: async () => transport.close(),
    };
  };
  return { ...modbus, load: async () => ({ create }) };
}
