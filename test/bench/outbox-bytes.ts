import { makeDataFolder, prepareEdge } from '../harness/plant.ts';
import { until } from '../harness/until.ts';
import { nextStats, startEdgeWithStats, statsOf } from './edge-run.ts';
import { type Bench, type Figure, ratios } from './figures.ts';
import { lineConnections, startMachines } from './modbus-line.ts';
import { startMqttSink } from './mqtt-sink.ts';
import { mountOwnDisk } from './own-disk.ts';

/** 1,000 samples/s in all three: connections × devices × values per device. */
const shapes = [
  { endpoints: 10, devices: 100, tags: 1 },
  { endpoints: 10, devices: 10, tags: 10 },
  { endpoints: 1, devices: 10, tags: 100 },
] as const;
type Shape = (typeof shapes)[number];

const secondsPerDay = 86_400;

interface Measured {
  readonly samplesPerS: number;
  readonly syncsPerS: number;
  /** Per sample: handed to the system as the agent counts it, written to the device, and sent as DDATA payload. */
  readonly ownBytes: number;
  readonly deviceBytes: number;
  readonly payloadBytes: number;
  /** Per day: what `--stats` estimates, and what the device counts. */
  readonly statsDayGb: number;
  readonly deviceDayGb: number;
}

async function measure({ endpoints, devices, tags }: Shape, forMs: number): Promise<Measured> {
  const data = makeDataFolder();
  const disk = mountOwnDisk(data.path);
  const machines = await startMachines({ endpoints, changing: 'all' });
  const sink = await startMqttSink();
  const edge = await prepareEdge({ ...data, path: disk.path }, 'e', sink.port, lineConnections(machines.ready.ports, devices, tags), {
    mqtt: { keepaliveS: 10 },
  });
  const agent = await startEdgeWithStats(edge, { ...data, path: disk.path });
  try {
    await agent.ready;
    await until('every device is read', async () => (await machines.report()).reads.size === endpoints * devices, 60_000);
    await nextStats(agent);
    const count = () => ({ atMs: performance.now(), device: disk.bytesWritten(), payload: sink.dataBytes() });
    const from = await nextStats(agent);
    const before = count();
    let to = from;
    while (performance.now() - before.atMs < forMs) to = await nextStats(agent);
    const after = count();
    const seconds = (after.atMs - before.atMs) / 1000;
    const stats = statsOf(agent).slice(from, to);
    const mean = (of: (each: (typeof stats)[number]) => number): number => stats.reduce((sum, each) => sum + of(each), 0) / stats.length;
    const samplesPerS = mean((each) => each.samplesPerS);
    const devicePerS = (after.device - before.device) / seconds;
    return {
      samplesPerS,
      syncsPerS: mean((each) => each.syncsPerS),
      ownBytes: mean((each) => (each.bytesPerSample ?? 0) * each.samplesPerS) / samplesPerS,
      deviceBytes: devicePerS / samplesPerS,
      payloadBytes: (after.payload - before.payload) / seconds / samplesPerS,
      statsDayGb: mean((each) => each.wearBytesPerDay) / 1e9,
      deviceDayGb: (devicePerS * secondsPerDay) / 1e9,
    };
  } finally {
    await agent.stop();
    await sink.close();
    machines.stop();
    disk.remove();
    data.remove();
  }
}

function rows({ tags }: Shape, all: readonly Measured[]): readonly Figure[] {
  const row = (what: string, unit: string, values: readonly number[]): Figure => ({ what: `${tags} per device: ${what}`, unit, values });
  const of = (key: keyof Measured): readonly number[] => all.map((measured) => measured[key]);
  return [
    row('handed to the system', 'B/sample', of('ownBytes')),
    row('Sparkplug payload', 'B/sample', of('payloadBytes')),
    row('handed to the system ÷ payload', '×', ratios(of('ownBytes'), of('payloadBytes'))),
    row('written to the device', 'B/sample', of('deviceBytes')),
    row('written to the device per day', 'GB', of('deviceDayGb')),
    row('per day as `--stats` estimates it', 'GB', of('statsDayGb')),
    { ...row('`--stats` ÷ device', '×', ratios(of('statsDayGb'), of('deviceDayGb'))), target: { kind: 'atLeast', value: 0.95 } },
    row('syncs', '/s', of('syncsPerS')),
  ];
}

export const outboxBytes: Bench = {
  name: 'outbox-bytes',
  summary: 'What the outbox of an edge agent writes to its card at 1,000 samples/s, with 1, 10 and 100 values per device',
  async run({ runs, isShort }) {
    const measured = shapes.map(() => [] as Measured[]);
    for (let run = 0; run < runs; run++) {
      for (const [i, shape] of shapes.entries()) measured[i]?.push(await measure(shape, isShort ? 10_000 : 60_000));
    }
    const rates = measured.flat().map(({ samplesPerS }) => Math.round(samplesPerS));
    return {
      figures: shapes.flatMap((shape, i) => rows(shape, measured[i] ?? [])),
      notes: [
        `1,000, 100 and 10 Modbus devices, read once a second; every value is new at every read (${Math.min(...rates)} to ${Math.max(...rates)} samples/s were measured). What devices say within commitDelayMs (100 ms) shares one sync. Metric names of 7 to 8 characters.`,
        'The data folder is an ext4 of its own with default settings in a file, and its block device counts what reaches it: data in pages of 4 KiB, inodes, journal. (What /proc says of the process is no measure: a system with large folios counts a MiB where 4 KiB are written.) `--stats` counts the pages that it writes and adds 12 KiB per sync for the journal.',
        'What a card does inside (erase blocks) comes on top. A broker that forgets everything takes the payloads: DDATA with aliases, identity and time stamps.',
      ],
    };
  },
};
