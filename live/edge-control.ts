import type { Clock } from '@nhip/core/process/env';
import { nodeDevice } from '@nhip/core/telemetry/edge-session';
import {
  type CertificateDecision,
  certificateDecisionMetric,
  configPushMetric,
  type EdgeCertificates,
  type EdgeConfiguration,
  edgeCertificatesMetric,
  edgeConfigurationMetric,
  type SignedConfig,
} from '@nhip/core/wire/edge-control';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import { edgeCertificates, edgeConfiguration, readEdgeText } from './edge-texts.ts';
import type { LiveHub } from './hub.ts';

/** Publishes an NCMD to an edge; it is not kept for one that is not there. */
export type SendNodeCommand = (group: string, edge: string, payload: Uint8Array) => void;

/** What edges say of their certificates and configurations, and what may be asked of them. Ids are `<group>/<edge>`. */
export interface EdgeControl {
  /** undefined: the edge meets no servers by certificate, or does not tell. */
  certificates(id: string): EdgeCertificates | undefined;
  /** undefined: the edge takes no pushed configuration. */
  configuration(id: string): EdgeConfiguration | undefined;
  /** How many certificates wait for a decision; null as `certificates`. */
  waiting(id: string): number | null;
  decide(id: string, decision: CertificateDecision): void;
  push(id: string, config: SignedConfig): void;
}

export function createEdgeControl(deps: {
  readonly hub: LiveHub;
  readonly clock: Clock;
  readonly send: SendNodeCommand;
  declares(id: string, metric: string): boolean;
}): EdgeControl {
  const { hub, clock } = deps;

  function textOf(id: string, metric: string): unknown {
    // What an edge that was configured anew no longer tells is still among its last values.
    if (!deps.declares(id, metric)) return undefined;
    return hub.metrics(`${id}/${nodeDevice}`)?.find(({ name }) => name === metric)?.v;
  }

  function send(id: string, name: string, content: object): void {
    const [group = '', edge = ''] = id.split('/');
    const timestampMs = clock.now();
    const metric = { name, timestampMs, dataType: dataType.String, value: JSON.stringify(content) };
    deps.send(group, edge, encodePayload({ timestampMs, metrics: [metric] }));
  }

  const certificates = (id: string): EdgeCertificates | undefined => readEdgeText(edgeCertificates, textOf(id, edgeCertificatesMetric));
  return {
    certificates,
    configuration: (id) => readEdgeText(edgeConfiguration, textOf(id, edgeConfigurationMetric)),
    waiting: (id) => certificates(id)?.certificates.filter(({ state }) => state === 'waiting').length ?? null,
    decide: (id, decision) => send(id, certificateDecisionMetric, decision),
    push: (id, config) => send(id, configPushMetric, config),
  };
}
