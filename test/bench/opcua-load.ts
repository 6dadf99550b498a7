import { nhip } from '../harness/nhip.ts';
import { makeDataFolder, prepareEdge } from '../harness/plant.ts';
import { until } from '../harness/until.ts';
import { startBeside } from './beside.ts';
import { type Steady, startEdgeWithStats, statsOf, steadyFigures, watchSteady } from './edge-run.ts';
import { type Bench, median } from './figures.ts';
import type { ItemsReport, ItemsTask } from './opcua-items.ts';
import { itemNode } from './opcua-nodes.ts';

const items = 5000;
const perDevice = 100;

function itemsConnection(port: number): object {
  return {
    id: 'items',
    driver: 'opcua',
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    securityMode: 'None',
    devices: Array.from({ length: items / perDevice }, (_, d) => ({
      id: `D${d + 1}`,
      intervalMs: 1000,
      tags: Array.from({ length: perDevice }, (_, i) => ({ metric: `Value/${i}`, node: itemNode(d * perDevice + i), dataType: 'Double' })),
    })),
  };
}

interface Measured extends Steady {
  readonly serverPercent: number;
}

async function measure(isShort: boolean): Promise<Measured> {
  const data = makeDataFolder();
  const server = await startBeside<{ readonly port: number }, ItemsReport>('./opcua-items.ts', { items } satisfies ItemsTask);
  const broker = nhip(['broker', '--data', data.path, '--mqtt-port', '0', '--json', '--log-level', 'warn']);
  try {
    const { mqtt = 0 } = await broker.ready;
    const edge = await prepareEdge(data, 'e', mqtt, [itemsConnection(server.ready.port)], { mqtt: { keepaliveS: 10 } });
    const agent = await startEdgeWithStats(edge, data);
    try {
      await agent.ready;
      await until('the items are followed', () => (statsOf(agent).at(-1)?.samplesPerS ?? 0) > items / 4, 60_000);
      await watchSteady(agent, isShort ? 5_000 : 20_000);
      const [before, beforeMs] = [await server.report(), performance.now()];
      const steady = await watchSteady(agent, isShort ? 10_000 : 60_000);
      const serverS = (await server.report()).processorS - before.processorS;
      return { ...steady, serverPercent: (serverS / (performance.now() - beforeMs)) * 100_000 };
    } finally {
      await agent.stop();
    }
  } finally {
    server.stop();
    await broker.stop();
    data.remove();
  }
}

export const opcuaLoad: Bench = {
  name: 'opcua-load',
  summary: `An edge agent that follows ${items.toLocaleString('en-GB')} OPC UA items at 1 s and publishes to a broker`,
  async run({ runs, isShort }) {
    const all: Measured[] = [];
    for (let run = 0; run < runs; run++) all.push(await measure(isShort));
    const what = `${items.toLocaleString('en-GB')} items, half change`;
    const serverPercent = Math.round(median(all.map((each) => each.serverPercent)));
    return {
      figures: steadyFigures(what, all, { processorPercent: 15, mb: 150 }),
      notes: [
        `${items / perDevice} devices of ${perDevice} doubles, sampled once a second; every other one of the values changes once a second, spread over the second. No encryption; all other settings are the defaults.`,
        `${isShort ? 10 : 60} s, 20 s after the first values, of the agent as it is installed (its bundle, with the environment of its systemd unit) with \`nhip broker\` and the server (node-opcua, a process of its own that took ${serverPercent} % of a core) on the same two cores. The share is that of the agent's process alone.`,
      ],
    };
  },
};
