import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality } from '@nhip/core/wire/sample';
import type { DeviceSink, Reading } from '../../../driver.ts';
import { createConnectionHost } from '../../../host/connection-host.ts';
import { smallNodeSets, startOpcuaServer, type TestNode, type TestOpcuaServer } from '../../../testing/opcua-server.ts';
import { waitFor } from '../../../testing/wait-for.ts';
import { opcuaConfig } from '../config.ts';
import { opcua } from '../index.ts';

/** What came of restarting a server again and again with its namespaces in another order each time. */
export interface RestartResult {
  readonly restarts: number;
  /** Good values of another node, or of a server that is gone. Must be 0. */
  readonly wrong: number;
  /** From "the server listens again" to the first value of the new server, for each restart that was waited for. */
  readonly reconnectMs: readonly number[];
  /** Good values that were checked. */
  readonly values: number;
}

const plants = ['urn:plant:a', 'urn:plant:b', 'urn:plant:c', 'urn:plant:d', 'urn:plant:e'] as const;
/** The same in every namespace: an index that is off by one finds a node, only the wrong one. */
const identifiers = ['s=Level', 's=Line 1.Speed', 'i=1001'] as const;
const longestReconnectMs = 30_000;

/**
 * Follows nodes of several namespaces through the host, as the agent does, while the server is restarted `count` times on one port
 * with its namespaces shuffled. Every value says which node it is of and which start of the server it is from. About a third of the
 * servers is stopped again at a random moment while the agent connects.
 */
export async function runRestarts(count: number, seed: number): Promise<RestartResult> {
  const random = createSimRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-restarts-'));
  const pick = (below: number): number => Math.floor(random.next() * below);
  const nodeSets = smallNodeSets();
  let round = 0;
  let values = 0;
  let wrong = 0;
  /** Metrics that the present server was heard of, by their round. */
  let heard = new Set<string>();

  const startServer = (port: number): Promise<TestOpcuaServer> => {
    const namespaces = shuffled([...plants, ...Array.from({ length: pick(3) }, (_, i) => `urn:other:${i}`)], pick);
    const nodes: TestNode[] = namespaces.flatMap((uri) =>
      identifiers.map((identifier) => ({
        node: `nsu=${uri};${identifier}`,
        dataType: 'String' as const,
        value: `${uri} ${identifier} @${round}`,
      })),
    );
    return startOpcuaServer({ namespaces, nodes, nodeSets, port, pkiFolder: join(folder, 'server') });
  };

  const check = ({ metric, value, quality: valueQuality }: Reading): void => {
    if (valueQuality !== quality.good) return;
    values++;
    const expected = `${metric} @${round}`;
    if (value === expected) heard.add(metric);
    else wrong++;
  };

  let server = await startServer(0);
  const tags = plants.flatMap((uri) =>
    identifiers.map((identifier) => ({ metric: `${uri} ${identifier}`, node: `nsu=${uri};${identifier}`, dataType: 'String' })),
  );
  const config = opcuaConfig.parse({
    id: 'restarts',
    driver: 'opcua',
    endpoint: server.endpoint,
    securityMode: 'None',
    // Two scan classes: two subscriptions.
    devices: [
      { id: 'fast', intervalMs: 50, tags: tags.slice(0, 8) },
      { id: 'slow', intervalMs: 100, tags: tags.slice(8) },
    ],
  });
  const sink: DeviceSink = { online: () => {}, offline: () => {}, report: (_, readings) => readings.forEach(check) };
  const deps = { clock: createNodeClock(), random, log: silentLog(), stateDir: join(folder, 'agent') };
  const timing = { connectTimeoutMs: 10_000, readTimeoutMs: 10_000, subscribeTimeoutMs: 10_000, graceMs: 60_000 };
  const host = createConnectionHost(opcua, config, sink, deps, timing);
  const reconnectMs: number[] = [];
  const allHeard = (what: string): Promise<void> => waitFor(what, () => heard.size === tags.length, longestReconnectMs);

  try {
    host.start();
    await allHeard('all values of the first server');
    for (let i = 1; i <= count; i++) {
      await server.stop();
      round = i;
      heard = new Set();
      server = await startServer(server.port);
      const startedMs = performance.now();
      if (i < count && pick(3) === 0) {
        await new Promise((resolve) => setTimeout(resolve, pick(600)));
        continue;
      }
      await allHeard(`all values after restart ${i}`);
      reconnectMs.push(Math.round(performance.now() - startedMs));
    }
  } finally {
    await host.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return { restarts: count, wrong, reconnectMs, values };
}

function shuffled(all: readonly string[], pick: (below: number) => number): readonly string[] {
  const result = [...all];
  for (let i = result.length - 1; i > 0; i--) {
    const k = pick(i + 1);
    [result[i], result[k]] = [result[k] ?? '', result[i] ?? ''];
  }
  return result;
}
