import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { expect, it } from 'vitest';
import { createConnectionHost } from '../../host/connection-host.ts';
import { startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { recordingSink } from '../../testing/scripted-driver.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { opcuaConfig } from './config.ts';
import { opcua } from './index.ts';

const plantA = 'urn:plant:a';
const plantB = 'urn:plant:b';

it('follows a server through restarts, with the right node after its namespaces changed places', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-host-'));
  const start = (namespaces: readonly string[], right: number, port?: number): Promise<TestOpcuaServer> =>
    startOpcuaServer({
      namespaces,
      nodes: [
        { node: `nsu=${plantA};s=Level`, dataType: 'Double', value: right },
        { node: `nsu=${plantB};s=Level`, dataType: 'Double', value: 777_777 },
      ],
      pkiFolder: join(folder, 'server'),
      port,
    });
  const first = await start([plantA, plantB], 1);
  const config = opcuaConfig.parse({
    id: 'cell',
    driver: 'opcua',
    endpoint: first.endpoint,
    securityMode: 'None',
    devices: [{ id: 'cnc', intervalMs: 50, tags: [{ metric: 'Level', node: `nsu=${plantA};s=Level`, dataType: 'Double' }] }],
  });
  const deps = { clock: createNodeClock(), random: createSimRandom(1), log: silentLog(), stateDir: join(folder, 'agent') };
  const sink = recordingSink(() => 0);
  const timing = { connectTimeoutMs: 5000, readTimeoutMs: 5000, subscribeTimeoutMs: 5000, graceMs: 200 };
  const host = createConnectionHost(opcua, config, sink, deps, timing);
  host.start();
  await waitFor('the first value', () => sink.lines.includes('0 cnc Level=1'), 8000);
  await first.stop();
  await waitFor('the device to be offline', () => sink.lines.at(-1)?.startsWith('0 cnc offline') === true, 8000);
  const second = await start([plantB, plantA], 2, first.port);
  await waitFor('the value of the restarted server', () => sink.lines.includes('0 cnc Level=2'), 8000);
  second.set(`nsu=${plantB};s=Level`, 888_888);
  second.set(`nsu=${plantA};s=Level`, 3);
  await waitFor('a change', () => sink.lines.includes('0 cnc Level=3'), 8000);
  // Loading the library may take longer than the grace time: what counts begins with the first answer.
  const lines = sink.lines.slice(sink.lines.indexOf('0 cnc online'));
  const offline = expect.stringMatching(/^0 cnc offline: /);
  expect(lines).toEqual(['0 cnc online', '0 cnc Level=1', offline, '0 cnc online', '0 cnc Level=2', '0 cnc Level=3']);
  await host.stop();
  await second.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);
