import { certificateDecisionMetric, configPushMetric, maxSignedConfigLength } from '@nhip/core/wire/edge-control';
import { decodeResend, outboxResendMetric, type ResendRequest } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';

/** What a host may ask of the node: nothing here writes to a machine. */
export interface NodeCommand {
  /** All births again (tck-id-operational-behavior-data-commands-rebirth-action). */
  readonly rebirth: boolean;
  readonly resends: readonly ResendRequest[];
  /** For who decides whether they are granted. */
  readonly requests: readonly NodeRequest[];
  /** What else was asked for: metrics that a host cannot set, a few of them. */
  readonly refused: readonly string[];
}

/** Something that the configuration of the agent may allow the server to ask for: JSON text, not looked at yet. */
export interface NodeRequest {
  readonly kind: 'certificate' | 'config';
  readonly text: string;
}

const requestKinds: Readonly<Record<string, NodeRequest['kind']>> = {
  [certificateDecisionMetric]: 'certificate',
  [configPushMetric]: 'config',
};
const maxRequests = 4;

const rebirthMetric = 'Node Control/Rebirth';
const maxRefused = 5;

/** Reads the payload of an NCMD; without `takesRequests` requests are refused. Throws WireError when it cannot be read. */
export function readNodeCommand(payload: Uint8Array, takesRequests: boolean): NodeCommand {
  const { metrics } = decodePayload(payload);
  const requests = new Map<Metric, NodeRequest>();
  for (const metric of takesRequests ? metrics : []) {
    const { name, value } = metric;
    const kind = name !== undefined && Object.hasOwn(requestKinds, name) ? requestKinds[name] : undefined;
    const isText = typeof value === 'string' && value.length <= maxSignedConfigLength;
    if (kind !== undefined && isText && requests.size < maxRequests) requests.set(metric, { kind, text: value });
  }
  return {
    requests: [...requests.values()],
    rebirth: metrics.some(({ name, value }) => name === rebirthMetric && value === true),
    resends: metrics.flatMap(({ name, value }) =>
      name === outboxResendMetric && value instanceof Uint8Array ? [decodeResend(value)] : [],
    ),
    refused: metrics
      .filter((metric) => metric.name !== rebirthMetric && metric.name !== outboxResendMetric && !requests.has(metric))
      .slice(0, maxRefused)
      .map(({ name, alias }) => (name ?? `alias ${alias ?? '?'}`).slice(0, 80)),
  };
}
