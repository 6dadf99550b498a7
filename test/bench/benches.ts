import type { Bench } from './figures.ts';

/** Every bench, one line each; loaded when it is run, so that none carries the libraries of another. */
export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  codec: async () => (await import('./codec.ts')).codec,
  pipeline: async () => (await import('./pipeline.ts')).pipeline,
  broker: async () => (await import('./broker.ts')).broker,
  latency: async () => (await import('./latency.ts')).latency,
  outage: async () => (await import('./outage.ts')).outage,
  'influxdb-sink': async () => (await import('./influxdb-sink.ts')).influxdbSink,
  drain: async () => (await import('./drain.ts')).drain,
  recovery: async () => (await import('./recovery.ts')).recovery,
  memory: async () => (await import('./memory-slope.ts')).memorySlope,
  edge: async () => (await import('./edge-memory.ts')).edgeMemory,
  planner: async () => (await import('./planner.ts')).planner,
  'modbus-load': async () => (await import('./modbus-load.ts')).modbusLoad,
  'opcua-load': async () => (await import('./opcua-load.ts')).opcuaLoad,
  'outbox-bytes': async () => (await import('./outbox-bytes.ts')).outboxBytes,
  'history-query': async () => (await import('./history-query.ts')).historyQuery,
  kpi: async () => (await import('./kpi.ts')).kpi,
  'bytes-per-sample': async () => (await import('./bytes-per-sample.ts')).bytesPerSample,
  'sector-intake': async () => (await import('./sector-intake.ts')).sectorIntake,
  'opcua-restarts': async () => (await import('./opcua-restarts.ts')).opcuaRestarts,
};

/** Run only when they are named: too long for every day. */
export const longBenches: ReadonlySet<string> = new Set(['opcua-restarts']);
