import { ConfigError } from '@nhip/core/process/errors';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Tracing } from '@nhip/core/process/tracing';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface RunningTracing {
  readonly tracing: Tracing;
  /** Sends what it has when it stops: the first of the parts, so that it stops last. */
  readonly part: Part;
}

/** What OpenTelemetry calls the share of traces to keep. */
const shareName = 'OTEL_TRACES_SAMPLER_ARG';
const defaultShare = 0.01;

/**
 * Traces to the OpenTelemetry collector that OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) names; undefined, and nothing is loaded,
 * when neither is set. Every process of a plant needs the same share in OTEL_TRACES_SAMPLER_ARG. Throws ConfigError when it is no share.
 */
export async function openTracing(role: string, version: string, env: Environment): Promise<RunningTracing | undefined> {
  const isOn = Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
  if (!isOn || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined;
  const share = env[shareName] ? Number(env[shareName]) : defaultShare;
  if (!(share > 0 && share <= 1))
    throw new ConfigError(shareName, [`"${env[shareName]}" is no share: more than 0 and at most 1, e.g. 0.01`]);
  const { createOtlpTracing } = await import('./otlp-tracing.ts');
  return createOtlpTracing({ service: env.OTEL_SERVICE_NAME || `nhip-${role}`, version, share });
}
