import { createNodeClock } from '@nhip/core/process/node-clock';
import { type Context, ROOT_CONTEXT, TraceFlags, trace as traceApi } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { isKept, traceIdOf } from './trace-id.ts';
import type { RunningTracing } from './tracing.ts';

/** The stretch that every trace begins with; the others hang below it, in whatever process they were. */
const first = 'edge.outbox';
/** Spans that wait for the collector; more are dropped. */
const maxQueue = 2048;
const exportTimeoutMs = 5000;
const stopWithinMs = 2000;

/** Sends to the collector that the standard OTEL_EXPORTER_OTLP_… variables name, as OTLP over HTTP. A collector that is away holds nothing up. */
export function createOtlpTracing(config: { readonly service: string; readonly version: string; readonly share: number }): RunningTracing {
  const ids = createGivenIds();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': config.service, 'service.version': config.version }),
    sampler: new AlwaysOnSampler(),
    idGenerator: ids,
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis: exportTimeoutMs }), {
        maxQueueSize: maxQueue,
        scheduledDelayMillis: 1000,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer('nhip', config.version);
  const clock = createNodeClock();
  return {
    tracing: {
      traceOf(identity) {
        const { traceId, rootId } = traceIdOf(identity);
        return isKept(traceId, config.share) ? `${traceId}${rootId}` : undefined;
      },
      add(followed, { name, startMs, endMs, attributes = {} }) {
        const [traceId, rootId] = [followed.slice(0, 32), followed.slice(32)];
        if (name === first) ids.given = { traceId, spanId: rootId };
        const parent = name === first ? ROOT_CONTEXT : below(traceId, rootId);
        const span = tracer.startSpan(name, { startTime: new Date(startMs), attributes: { ...attributes } }, parent);
        ids.given = undefined;
        span.end(new Date(Math.max(startMs, endMs)));
      },
    },
    part: {
      name: 'tracing',
      start: async () => {},
      // What the collector does not take in time is not worth waiting for.
      stop: () => Promise.race([provider.shutdown().catch(() => undefined), clock.sleep(stopWithinMs)]),
    },
  };
}

function below(traceId: string, spanId: string): Context {
  return traceApi.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}

/** Random ids, but those that were given for the next span. */
function createGivenIds() {
  const random = (bytes: number): string => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
  const ids = {
    given: undefined as { readonly traceId: string; readonly spanId: string } | undefined,
    generateTraceId: (): string => ids.given?.traceId ?? random(16),
    generateSpanId: (): string => ids.given?.spanId ?? random(8),
  };
  return ids;
}
