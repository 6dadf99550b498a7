import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { expect, it } from 'vitest';
import type { Reading } from '../../driver.ts';
import { driverSuite } from '../../testing/driver-suite.ts';
import { simulatedConfig } from './config.ts';
import { create } from './driver.ts';
import { simulated } from './index.ts';

const sample = {
  id: 'demo',
  driver: 'simulated',
  devices: [
    {
      id: 'press',
      kind: 'press',
      tags: [
        { metric: 'Temperature', shape: 'sine', low: 20, high: 80, unitName: '°C' },
        { metric: 'Count/Good', shape: 'counter', periodMs: 2000 },
        { metric: 'Alarm/Door', shape: 'switch' },
        { metric: 'Mode', shape: 'switch', enum: { 0: 'manual', 1: 'automatic' } },
        { metric: 'Vibration', shape: 'noise', scale: 0.1 },
      ],
    },
  ],
};

driverSuite({ plugin: simulated, startPeer: async () => ({ config: sample, stop: async () => {} }), atPort: undefined });

it('gives the same values for the same seed and time', async () => {
  const read = async (seed: number): Promise<readonly Reading[]> => {
    const deps = { clock: createSimClock(), random: createSimRandom(1), log: silentLog(), stateDir: '/nonexistent' };
    const driver = create(simulatedConfig.parse({ ...sample, seed }), deps);
    const { signal } = new AbortController();
    await driver.connect(signal);
    return (await driver.read?.('press', signal)) ?? [];
  };
  expect(await read(3)).toEqual(await read(3));
  expect(await read(3)).not.toEqual(await read(4));
});
