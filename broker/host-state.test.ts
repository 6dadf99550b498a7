import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { connectAsync } from 'mqtt';
import { expect, it, vi } from 'vitest';
import { openCredentials } from './auth/credentials.ts';
import { createBroker } from './broker.ts';
import { brokerConfig } from './config.ts';

it('tells each client at once that the host is online, and that it goes before the connection ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-state-'));
  const env = createNodeEnv(folder);
  const logBus = await openSegmentLog(env, 'log', { commitDelayMs: 0, maxBytes: 4_194_304, readers: [], log: silentLog() });
  const credentials = openCredentials(join(folder, 'credentials.json'));
  const config = brokerConfig.parse({ port: 0, hostId: 'main' });
  const broker = createBroker(config, { clock: env.clock, log: silentLog(), logBus, credentials });
  const { port } = await broker.start();
  const heard: string[] = [];
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...credentials.add(`g/e${i}`, 0) }, false),
    ),
  );
  for (const client of clients) {
    client.on('message', (_, payload, { retain }) => heard.push(`${retain} ${(JSON.parse(`${payload}`) as { online: boolean }).online}`));
    await client.subscribeAsync('spBv1.0/STATE/main', { qos: 1 });
  }
  await vi.waitFor(() => expect(heard).toHaveLength(20));
  await broker.stop();
  await vi.waitFor(() => expect(heard).toHaveLength(40));
  expect(heard).toEqual([...Array.from({ length: 20 }, () => 'true true'), ...Array.from({ length: 20 }, () => 'false false')]);
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await logBus.close();
  rmSync(folder, { recursive: true });
});
