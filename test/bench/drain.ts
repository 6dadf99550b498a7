import { makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { createServerApi } from '../harness/server-api.ts';
import { until } from '../harness/until.ts';
import { busyConnection, startBusyPlc } from './busy-plc.ts';
import { type Bench, quantile } from './figures.ts';
import { probeIntervalMs, startLiveProbe } from './live-probe.ts';
import { residentMb } from './process-memory.ts';

const devices = 4;
const tags = 500;
const intervalMs = 100;

interface Measured {
  readonly samplesPerS: number;
  readonly liveP50: number;
  readonly liveP99: number;
  readonly edgeMb: number;
  readonly backlog: number;
}

async function measure(samples: number): Promise<Measured> {
  const data = makeDataFolder();
  const plc = await startBusyPlc();
  const probe = await startLiveProbe('M1');
  let server = startServer(data);
  const { http = 0, mqtt = 0 } = await server.ready;
  const api = createServerApi(() => http);
  const edge = await prepareEdge(data, 'e', mqtt, [busyConnection(plc.port, devices, tags, intervalMs), probe.connection]);
  const agent = edge.start();
  try {
    await agent.ready;
    await until('samples are stored', async () => (await api.stats()).stored > 10_000, 30_000);
    await server.kill();
    const rate = (devices * tags * 1000) / intervalMs;
    await new Promise((resolve) => setTimeout(resolve, (samples / rate) * 1000));
    // From here on only the probe is live: the backlog stops growing.
    await plc.close();
    server = startServer(data, { http, mqtt });
    await server.ready;
    await probe.follow(http);
    await until('the edge is back', async () => (await api.edge('g/e'))?.online === true, 60_000);
    const done = new AbortController();
    const live = probe.measure(done.signal);
    const startedMs = performance.now();
    let lastMs = startedMs;
    let stored = 0;
    await until(
      'the backlog is stored',
      async () => {
        const stats = await api.stats();
        if (stats.stored > stored + tags) {
          stored = stats.stored;
          lastMs = performance.now();
        }
        return stored >= samples * 0.9 && performance.now() - lastMs > 3000;
      },
      600_000,
    );
    done.abort();
    const delays = await live;
    const edgeMb = residentMb(agent.pid).rss;
    const of = (share: number): number => quantile(delays, share) - probeIntervalMs;
    return { samplesPerS: stored / ((lastMs - startedMs) / 1000), liveP50: of(0.5), liveP99: of(0.99), edgeMb, backlog: stored };
  } finally {
    await agent.kill();
    await server.kill();
    await probe.close();
    await plc.close();
    data.remove();
  }
}

export const drain: Bench = {
  name: 'drain',
  summary: 'Backlog of an edge agent after an outage of the server → stored, and live values meanwhile',
  async run({ runs, isShort }) {
    const samples = isShort ? 100_000 : 1_000_000;
    const all: Measured[] = [];
    for (let run = 0; run < runs; run++) all.push(await measure(samples));
    return {
      figures: [
        {
          what: 'backlog → stored',
          unit: 'k samples/s',
          values: all.map(({ samplesPerS }) => samplesPerS / 1000),
          memory: { unit: 'MB', values: all.map(({ edgeMb }) => edgeMb) },
          target: { kind: 'atLeast', value: 100 },
        },
        { what: 'live meanwhile, p50, poll subtracted', unit: 'ms', values: all.map(({ liveP50 }) => liveP50) },
        {
          what: 'live meanwhile, p99, poll subtracted',
          unit: 'ms',
          values: all.map(({ liveP99 }) => liveP99),
          target: { kind: 'atMost', value: 1000 },
        },
      ],
      notes: [
        `About ${samples.toLocaleString('en-GB')} samples wait on the edge's disk: ${devices} devices of ${tags} floats, read every ${intervalMs} ms while the server was down. Everything has its default settings.`,
        'Counted from the moment at which the edge is connected again to the last sample in the store; the backlog does not grow meanwhile.',
        'Live: register of another PLC of the same edge → SSE, a change every 100 to 250 ms and its delay. Memory: the edge agent.',
      ],
    };
  },
};
