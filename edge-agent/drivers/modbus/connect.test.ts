import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ModbusConfig, modbusConfig } from './config.ts';
import { connectExtraMs, connectFirst } from './connect.ts';
import { create } from './driver.ts';
import { abortError } from './link.ts';
import type { ModbusTransport } from './transport.ts';

/** What the host allows for opening a connection, beside what the driver asks for. */
const hostLimitMs = 15_000;
const never = new AbortController().signal;

function configOf(change: object): ModbusConfig {
  const devices = [1, 2, 3, 4].map((unit) => ({ id: `d${unit}`, unit, tags: [{ metric: 'Level', address: 'holding:0:uint16' }] }));
  return modbusConfig.parse({ id: 'c', driver: 'modbus', endpoint: 'tcp://main', devices, ...change });
}

describe('the time for connecting', () => {
  it('is the pause and the answers that are waited for, on each endpoint', () => {
    const deps = { clock: createSimClock(), random: createSimRandom(1), log: silentLog(), stateDir: '/nonexistent' };
    expect(create(configOf({ pauseAfterConnectMs: 60_000 }), deps).connectExtraMs).toBe(60_000);
    expect(connectExtraMs(configOf({ timeoutMs: 60_000 }))).toBe(0);
    expect(connectExtraMs(configOf({ pauseAfterConnectMs: 16_000 }))).toBe(16_000);
    const both = { backupEndpoint: 'tcp://backup', timeoutMs: 5000, lateAnswerMs: 0, pauseAfterConnectMs: 1000 };
    expect(connectExtraMs(configOf(both))).toBe(2 * (1000 + 3 * 5000));
  });

  it('suffices for the backup endpoint, however long the first one stays silent', async () => {
    const ms = fc.integer({ min: 10, max: 60_000 });
    await fc.assert(
      fc.asyncProperty(ms, ms, ms, fc.boolean(), async (timeoutMs, lateAnswerMs, pauseAfterConnectMs, opens) => {
        const clock = createSimClock();
        const silent: ModbusTransport = {
          connect: (signal) =>
            opens ? clock.sleep(4999, signal) : clock.sleep(1e9, signal).catch(() => Promise.reject(abortError(signal))),
          send: async (_, signal) => {
            await clock.sleep(timeoutMs + lateAnswerMs, signal);
            throw new Error('no answer');
          },
          close: () => undefined,
        };
        let asked = 0;
        const answersLast: ModbusTransport = {
          ...silent,
          connect: (signal) => clock.sleep(4999, signal),
          send: (exchange, signal) => (++asked < 3 ? silent.send(exchange, signal) : Promise.resolve(Buffer.of(0, 42))),
        };
        const config = configOf({ backupEndpoint: 'tcp://backup', timeoutMs, lateAnswerMs, pauseAfterConnectMs });
        expect(await clock.drive(connectFirst(config, [silent, answersLast], clock, never))).toBe(answersLast);
        expect(clock.monotonic()).toBeLessThanOrEqual(hostLimitMs + connectExtraMs(config));
      }),
      { numRuns: 30 },
    );
  });
});
