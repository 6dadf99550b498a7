import type { Bench } from './figures.ts';

/** Every bench, one line each; loaded when it is run, so that none carries the libraries of another. */
export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  codec: async () => (await import('./codec.ts')).codec,
  pipeline: async () => (await import('./pipeline.ts')).pipeline,
  broker: async () => (await import('./broker.ts')).broker,
  latency: async () => (await import('./latency.ts')).latency,
  edge: async () => (await import('./edge-memory.ts')).edgeMemory,
};
