import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CountingPlc, countingConnection, startCountingPlc } from '../harness/counting-plc.ts';
import type { Process } from '../harness/nhip.ts';
import { type CollectedSpan, startOtlpCollector } from '../harness/otlp-collector.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { until } from '../harness/until.ts';

const stretches = ['broker.append', 'edge.outbox', 'edge.publish', 'ingest.store'];

let data: DataFolder;
let plc: CountingPlc;
let collector: Awaited<ReturnType<typeof startOtlpCollector>>;
let running: Process[] = [];

beforeEach(async () => {
  data = makeDataFolder();
  plc = await startCountingPlc();
  collector = await startOtlpCollector();
});
afterEach(async () => {
  // Only after a failure is any of them still there.
  for (const process of running.splice(0)) await process.kill();
  await plc.close();
  await collector.close();
  data.remove();
});

function byTrace(): readonly (readonly CollectedSpan[])[] {
  const traces = new Map<string, CollectedSpan[]>();
  for (const span of collector.spans) traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span]);
  return [...traces.values()];
}

describe('traces from the edge to the store', () => {
  it('have a stretch from every role, below the first one, though nothing of them travels with the samples', async () => {
    const surroundings = { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: '1' } };
    const server = startServer(data, {}, ['--demo'], surroundings);
    running.push(server);
    const { mqtt = 0 } = await server.ready;
    const edge = (await prepareEdge(data, 'e', mqtt, [countingConnection(plc.port, [1], 50)], { surroundings })).start();
    running.push(edge);
    await edge.ready;
    const whole = await until('a trace is whole', () =>
      byTrace().find((spans) => stretches.every((name) => spans.some((span) => span.name === name))),
    );
    expect(whole.map(({ name }) => name).sort()).toEqual(stretches);
    const root = whole.find(({ name }) => name === 'edge.outbox');
    expect(root).toMatchObject({ service: 'nhip-edge', parentSpanId: '', attributes: { device: 'U1' } });
    for (const span of whole) {
      expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);
      if (span === root) continue;
      expect(span.parentSpanId).toBe(root?.spanId);
      expect(span.service).toBe(span.name === 'edge.publish' ? 'nhip-edge' : 'nhip-server');
    }
    expect(new Set(whole.map(({ spanId }) => spanId)).size).toBe(whole.length);
    for (const process of [edge, server]) expect((await process.stop()).code).toBe(0);
    running = [];
  });

  it('hold nothing up when there is no collector', async () => {
    const surroundings = { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_SAMPLER_ARG: '1' } };
    const server = startServer(data, {}, ['--demo'], surroundings);
    running.push(server);
    const { mqtt = 0, http = 0 } = await server.ready;
    const edge = (await prepareEdge(data, 'e', mqtt, [countingConnection(plc.port, [1], 50)], { surroundings })).start();
    running.push(edge);
    await until('samples are stored', async () => {
      const stats = (await (await fetch(`http://127.0.0.1:${http}/api/v1/stats`)).json()) as { stored: number };
      return stats.stored > 40;
    });
    for (const process of [edge, server]) expect((await process.stop()).code).toBe(0);
    running = [];
  });
});
