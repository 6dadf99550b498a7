import { startFactory } from '../harness/factory.ts';
import type { Bench, Figure } from './figures.ts';
import { residentMb } from './process-memory.ts';

const sampleEveryMs = 1000;
/** The first part is left out: caches and compiled code grow at first. */
const leftOut = 0.3;

/** MiB per minute, by least squares. */
function slopePerMinute(points: readonly (readonly [ms: number, mb: number])[]): number {
  const used = points.slice(Math.floor(points.length * leftOut));
  const mean = (of: (point: readonly [number, number]) => number): number => used.reduce((sum, point) => sum + of(point), 0) / used.length;
  const [meanMs, meanMb] = [mean(([ms]) => ms), mean(([, mb]) => mb)];
  const covariance = mean(([ms, mb]) => (ms - meanMs) * (mb - meanMb));
  const variance = mean(([ms]) => (ms - meanMs) ** 2);
  return (covariance / variance) * 60_000;
}

export const memorySlope: Bench = {
  name: 'memory',
  summary: 'Memory of every role during an outage: the broker is away for one edge agent, the store for the server',
  async run({ runs, isShort }) {
    const minutes = isShort ? 1 : 10;
    const figures = new Map<string, { readonly slopes: number[]; readonly highest: number[] }>();
    for (let run = 0; run < runs; run++) {
      const factory = await startFactory({ shape: 'apart', edges: 2, units: 1, registers: 50, intervalMs: 25 });
      try {
        await factory.edge.brokerLink.set({ kind: 'refuse' });
        await factory.role('store').kill();
        const points = new Map(['e1', 'e2', 'broker', 'ingest', 'live'].map((name) => [name, [] as [number, number][]]));
        const endMs = performance.now() + minutes * 60_000;
        while (performance.now() < endMs) {
          for (const [name, list] of points) list.push([performance.now(), residentMb(factory.role(name).process.pid).rss]);
          await factory.lasts(sampleEveryMs);
        }
        for (const [name, list] of points) {
          const figure = figures.get(name) ?? { slopes: [], highest: [] };
          figure.slopes.push(slopePerMinute(list));
          figure.highest.push(Math.max(...list.map(([, mb]) => mb)));
          figures.set(name, figure);
        }
      } finally {
        await factory.remove();
      }
    }
    const words: Readonly<Record<string, string>> = {
      e1: 'edge agent, broker away',
      e2: 'edge agent, all well',
      broker: 'broker, store away',
      ingest: 'ingest, store away',
      live: 'live, store away',
    };
    return {
      figures: [...figures].map(
        ([name, { slopes, highest }]): Figure => ({
          what: words[name] ?? name,
          unit: 'MiB/min',
          values: slopes,
          memory: { unit: 'MB', values: highest },
          target: { kind: 'atMost', value: 1 },
        }),
      ),
      notes: [
        `Slope of the resident memory over the last ${Math.round((1 - leftOut) * 100)} % of ${minutes} minutes, about 2,000 samples/s per edge agent. Memory: the highest.`,
      ],
    };
  },
};
