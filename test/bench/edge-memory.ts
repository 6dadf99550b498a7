import { setTimeout as sleep } from 'node:timers/promises';
import { edgeConfigs } from '@nhip/simulators/plants/edge-config';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { nhip, type Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { until } from '../harness/until.ts';
import { busyConnection, startBusyPlc } from './busy-plc.ts';
import type { Bench, Figure } from './figures.ts';
import { residentMb } from './process-memory.ts';

const tagCount = 500;

function opcuaConnections(opcuaPort: number): { readonly connections: readonly object[]; readonly tags: number } {
  const configs = edgeConfigs(hoaLac, { host: '127.0.0.1', modbusPort: 1, opcuaPort });
  const connections = configs.flatMap((config) => config.connections).filter(({ driver }) => driver === 'opcua');
  let tags = 0;
  for (const { devices } of connections) for (const device of devices) tags += device.tags.length;
  return { connections, tags };
}

interface Memory {
  readonly rss: readonly number[];
  readonly peak: readonly number[];
  readonly samplesPerS: number;
}

async function storedSamples(http: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${http}/api/v1/stats`);
  return ((await response.json()) as { stored: number }).stored;
}

/** One agent per run, side by side: memory is no matter of speed, and so all get their minute. */
async function measure(data: DataFolder, name: string, connections: readonly object[], runs: number, forMs: number): Promise<Memory> {
  const server = startServer(data);
  const agents: Process[] = [];
  try {
    const { http = 0, mqtt = 0 } = await server.ready;
    for (let run = 0; run < runs; run++) {
      const edge = await prepareEdge(data, `${name}${run}`, mqtt, connections);
      const agent = edge.start();
      agents.push(agent);
      await agent.ready;
    }
    await until('samples arrive', async () => (await storedSamples(http)) > 0, 30_000);
    const before = { stored: await storedSamples(http), at: performance.now() };
    await sleep(forMs);
    const samplesPerS = (((await storedSamples(http)) - before.stored) / (performance.now() - before.at)) * 1000;
    const memory = agents.map(({ pid }) => residentMb(pid));
    return { rss: memory.map(({ rss }) => rss), peak: memory.map(({ peak }) => peak), samplesPerS: samplesPerS / runs };
  } finally {
    await Promise.all(agents.map((agent) => agent.stop()));
    await server.stop();
  }
}

function rows(what: string, { rss, peak }: Memory, maxMb: number): readonly Figure[] {
  return [
    { what: `${what}: RSS`, unit: 'MB', values: rss, target: { kind: 'atMost', value: maxMb } },
    { what: `${what}: highest RSS since the start`, unit: 'MB', values: peak },
  ];
}

export const edgeMemory: Bench = {
  name: 'edge',
  summary: 'Memory of an edge agent that publishes to a server',
  async run({ runs, isShort }) {
    const forMs = isShort ? 10_000 : 60_000;
    const data = makeDataFolder();
    const plc = await startBusyPlc();
    const simulation = nhip(['simulate', '--data', data.path, '--modbus-port', '0', '--opcua-port', '0', '--json']);
    try {
      const { opcua = 0 } = await simulation.ready;
      const ua = opcuaConnections(opcua);
      const modbus = await measure(data, 'modbus', [busyConnection(plc.port, 1, tagCount, 1000)], runs, forMs);
      const opcuaMemory = await measure(data, 'opcua', ua.connections, runs, forMs);
      return {
        figures: [...rows(`${tagCount} Modbus tags at 1 s`, modbus, 90), ...rows(`OPC UA, ${ua.tags} monitored items`, opcuaMemory, 150)],
        notes: [
          `VmRSS of \`nhip edge run\` ${forMs / 1000} s after the first sample was stored; ${runs} agents side by side, one value each.`,
          `Each Modbus agent delivered ${Math.round(modbus.samplesPerS)} samples/s, every value new at every read; each OPC UA agent ${Math.round(opcuaMemory.samplesPerS)} samples/s from the simulated plant.`,
        ],
      };
    } finally {
      await simulation.stop();
      await plc.close();
      data.remove();
    }
  },
};
