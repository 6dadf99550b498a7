import { nhip } from '../harness/nhip.ts';
import { makeDataFolder, prepareEdge } from '../harness/plant.ts';
import { until } from '../harness/until.ts';
import { type Steady, type SteadyTargets, startEdgeWithStats, steadyFigures, watchSteady } from './edge-run.ts';
import { type Bench, type Figure, median } from './figures.ts';
import { lineConnections, type ReadTimes, readTimes, startMachines } from './modbus-line.ts';
import type { MachinesTask } from './modbus-machines.ts';

interface Load extends MachinesTask {
  readonly what: string;
  /** Per endpoint. */
  readonly devices: number;
  readonly targets: SteadyTargets;
}

const tags = 100;
const large: SteadyTargets = { processorPercent: 60, mb: 150 };
const small: SteadyTargets = { processorPercent: 5, mb: 80 };
const loads: readonly Load[] = [
  { what: '20,000 tags, half change', endpoints: 20, devices: 10, changing: 'half', targets: large },
  { what: '20,000 tags, all change', endpoints: 20, devices: 10, changing: 'all', targets: large },
  { what: '1,000 tags, half change', endpoints: 1, devices: 10, changing: 'half', targets: small },
  { what: '1,000 tags, all change', endpoints: 1, devices: 10, changing: 'all', targets: small },
];

interface Measured extends Steady, ReadTimes {
  readonly machinesPercent: number;
}

async function measure(load: Load, isShort: boolean): Promise<Measured> {
  const data = makeDataFolder();
  const machines = await startMachines({ endpoints: load.endpoints, changing: load.changing });
  const broker = nhip(['broker', '--data', data.path, '--mqtt-port', '0', '--json', '--log-level', 'warn']);
  try {
    const { mqtt = 0 } = await broker.ready;
    const connections = lineConnections(machines.ready.ports, load.devices, tags);
    const edge = await prepareEdge(data, 'e', mqtt, connections, { mqtt: { keepaliveS: 10 } });
    const agent = await startEdgeWithStats(edge, data);
    try {
      await agent.ready;
      const devices = load.endpoints * load.devices;
      await until('every device is read', async () => (await machines.report()).reads.size === devices, 60_000);
      // Births, code that is not compiled yet, and what the cost of a request was taken for before it was measured.
      await watchSteady(agent, isShort ? 5_000 : 20_000);
      const before = await machines.report();
      const steady = await watchSteady(agent, isShort ? 10_000 : 60_000);
      const after = await machines.report();
      const machinesS = after.processorS - before.processorS;
      return {
        ...steady,
        ...readTimes(after.reads, devices, before.nowMs, after.nowMs),
        machinesPercent: (machinesS / (after.nowMs - before.nowMs)) * 100_000,
      };
    } finally {
      await agent.stop();
    }
  } finally {
    machines.stop();
    await broker.stop();
    data.remove();
  }
}

function rows({ what, targets }: Load, all: readonly Measured[]): readonly Figure[] {
  return [
    { what: `${what}: missed cycles`, unit: '', values: all.map(({ missed }) => missed), target: { kind: 'atMost', value: 0 } },
    { what: `${what}: longest time between two reads`, unit: 'ms', values: all.map(({ longestGapMs }) => longestGapMs) },
    ...steadyFigures(what, all, targets),
  ];
}

export const modbusLoad: Bench = {
  name: 'modbus-load',
  summary: 'An edge agent that reads Modbus TCP devices of 100 floats each once a second and publishes to a broker',
  async run({ runs, isShort }) {
    const measured = loads.map(() => [] as Measured[]);
    for (let run = 0; run < runs; run++) {
      for (const [i, load] of loads.entries()) measured[i]?.push(await measure(load, isShort));
    }
    const all = measured.flat();
    const own = all.reduce((sum, { overruns }) => sum + overruns, 0);
    const failures = all.reduce((sum, { failures }) => sum + failures, 0);
    const machines = measured.map((list) => Math.round(median(list.map(({ machinesPercent }) => machinesPercent))));
    return {
      figures: loads.flatMap((load, i) => rows(load, measured[i] ?? [])),
      notes: [
        `20,000 tags: 20 connections with 10 units each; 1,000 tags: one connection with 10 units. 100 floats are 200 registers: two requests per device and second. All settings are the defaults.`,
        `${isShort ? 10 : 60} s, 20 s after the start, of the agent as it is installed (its bundle, with the environment of its systemd unit) with \`nhip broker\` (fsync before PUBACK) on the same two cores and the machines in a third process, which took ${machines.join(' / ')} % of a core. The share is that of the agent's process alone.`,
        'Half change: every other float is a new one at each read, the rest never changes. Missed cycles and times are from the journal of the machines: a cycle of a device without a read.',
        `By its own count the agents skipped ${own} reads and ${failures} failed, in all runs together.`,
      ],
    };
  },
};
