import type { Bench } from './figures.ts';

/** Every bench, one line each; loaded when it is run, so that none carries the libraries of another. */
export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  codec: async () => (await import('./codec.ts')).codec,
  pipeline: async () => (await import('./pipeline.ts')).pipeline,
  broker: async () => (await import('./broker.ts')).broker,
  latency: async () => (await import('./latency.ts')).latency,
  outage: async () => (await import('./outage.ts')).outage,
  drain: async () => (await import('./drain.ts')).drain,
  recovery: async () => (await import('./recovery.ts')).recovery,
  memory: async () => (await import('./memory-slope.ts')).memorySlope,
  edge: async () => (await import('./edge-memory.ts')).edgeMemory,
};
