import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { expect, it } from 'vitest';
import { createAgent } from '../agent.ts';
import { agentConfig } from '../config.ts';
import { startRecordingBroker } from '../session/testing/recording-broker.ts';
import { waitFor } from '../testing/wait-for.ts';
import { earliestMs } from './timekeeper.ts';

it('an agent that starts in 1970 never says so, and sends what it read with its times once the clock is set', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-agent-'));
  const broker = await startRecordingBroker();
  const node = createNodeEnv(folder);
  const startMs = Date.now();
  let offsetMs = -startMs;
  const env = { ...node, clock: { ...node.clock, now: () => node.clock.now() + offsetMs } };
  const config = agentConfig.parse({
    group: 'g',
    edge: 'e',
    mqtt: { url: broker.url, password: 'x' },
    outbox: { commitDelayMs: 0 },
    connections: [
      {
        id: 'sim',
        driver: 'simulated',
        devices: [{ id: 'press', intervalMs: 50, tags: [{ metric: 'N', shape: 'counter', periodMs: 10 }] }],
      },
    ],
  });
  const agent = createAgent(config, 'test', { env, log: silentLog(), dataDir: folder, onFatal: () => undefined });
  try {
    await agent.start();
    expect(agent.health().clock).toMatchObject({ state: 'unsynced' });
    await waitFor('a birth', () => broker.published('DBIRTH').length > 0);
    await waitFor('a reading that waits', () => agent.health().connections.some(({ counters }) => counters.samples > 5));
    expect(agent.health().recorded).toBe(0);
    for (const { payload } of broker.published()) expect(payload.timestampMs ?? earliestMs).toBeGreaterThanOrEqual(earliestMs);
    offsetMs = 0;
    await waitFor('what was held', () => agent.health().published > 10);
    const readings = broker.published('DDATA').flatMap(({ payload }) => payload.metrics.slice(1));
    for (const { timestampMs } of readings) {
      expect(timestampMs).toBeGreaterThanOrEqual(startMs - 1000);
      expect(timestampMs).toBeLessThanOrEqual(Date.now() + 1000);
    }
    expect(agent.health()).toMatchObject({ lost: 0, clock: { steps: 1 } });
  } finally {
    await agent.stop();
    await broker.close();
    rmSync(folder, { recursive: true });
  }
});
