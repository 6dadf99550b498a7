import { nhip } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { createServerApi } from '../harness/server-api.ts';
import { until } from '../harness/until.ts';
import { type Bench, quantile } from './figures.ts';
import { probeIntervalMs, startLiveProbe } from './live-probe.ts';
import { fillBroker } from './outage-load.ts';
import { residentMb } from './process-memory.ts';

const samplesPerS = 2000;

interface Measured {
  readonly fillSeconds: number;
  readonly drainSeconds: number;
  readonly liveP50: number;
  readonly liveP99: number;
  readonly liveCount: number;
  readonly serverMb: number;
}

async function measure(data: DataFolder, samples: number): Promise<Measured> {
  const probe = await startLiveProbe('M1');
  const broker = nhip(['broker', '--data', data.path, '--mqtt-port', '0', '--json', '--log-level', 'warn']);
  const { mqtt = 0 } = await broker.ready;
  const edge = await prepareEdge(data, 'e', mqtt, [probe.connection]);
  const fillSeconds = await fillBroker(data, mqtt, samples, samplesPerS);
  await broker.stop();
  const server = startServer(data, { mqtt });
  const startedMs = performance.now();
  const { http = 0 } = await server.ready;
  const api = createServerApi(() => http);
  const agent = edge.start();
  try {
    await probe.follow(http);
    const done = new AbortController();
    // The first change is counted when the machine is known.
    await until(
      'the probe is live',
      async () => (await (await fetch(`http://127.0.0.1:${http}/api/v1/machines`)).text()).includes('g/e/M1'),
      60_000,
    );
    const live = probe.measure(done.signal);
    await until('all is stored', async () => (await api.stats()).stored >= samples, 1_200_000);
    const drainSeconds = (performance.now() - startedMs) / 1000;
    done.abort();
    const delays = await live;
    const of = (share: number): number => quantile(delays, share) - probeIntervalMs;
    return {
      fillSeconds,
      drainSeconds,
      liveP50: of(0.5),
      liveP99: of(0.99),
      liveCount: delays.length,
      serverMb: residentMb(server.pid).peak,
    };
  } finally {
    await agent.kill();
    await server.kill();
    await probe.close();
  }
}

export const outage: Bench = {
  name: 'outage',
  summary: 'Store away for an hour at 2,000 samples/s: what is in the broker’s log → stored, and live values meanwhile',
  async run({ runs, isShort }) {
    const samples = isShort ? 400_000 : 7_200_000;
    const all: Measured[] = [];
    for (let run = 0; run < runs; run++) {
      const data = makeDataFolder();
      try {
        all.push(await measure(data, samples));
      } finally {
        data.remove();
      }
    }
    return {
      figures: [
        {
          what: `${samples.toLocaleString('en-GB')} samples → stored, from the start of the server`,
          unit: 's',
          values: all.map(({ drainSeconds }) => drainSeconds),
          memory: { unit: 'MB', values: all.map(({ serverMb }) => serverMb) },
          target: { kind: 'atMost', value: 720 },
        },
        { what: 'live values measured in that time', unit: '', values: all.map(({ liveCount }) => liveCount) },
        { what: 'live meanwhile, p50, poll subtracted', unit: 'ms', values: all.map(({ liveP50 }) => liveP50) },
        {
          what: 'live meanwhile, p99, poll subtracted',
          unit: 'ms',
          values: all.map(({ liveP99 }) => liveP99),
          target: { kind: 'atMost', value: 1000 },
        },
        { what: 'to fill the log by MQTT (the hour, accelerated)', unit: 's', values: all.map(({ fillSeconds }) => fillSeconds) },
      ],
      notes: [
        'The hour is accelerated: 10 publishers send what 10 edge agents would have sent in it, with their time stamps and outbox identities, at QoS 1 to `nhip broker` alone; no ingest runs meanwhile. 200 samples in a message.',
        'Live: register of a PLC → SSE through an edge agent that is started with the server. Memory: the highest of the server.',
      ],
    };
  },
};
