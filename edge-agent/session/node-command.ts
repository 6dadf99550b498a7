import { decodeResend, outboxResendMetric, type ResendRequest } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';

/** What a host may ask of the node: nothing here writes to a machine. */
export interface NodeCommand {
  /** All births again (tck-id-operational-behavior-data-commands-rebirth-action). */
  readonly rebirth: boolean;
  readonly resends: readonly ResendRequest[];
  /** What else was asked for: metrics that a host cannot set, a few of them. */
  readonly refused: readonly string[];
}

const rebirthMetric = 'Node Control/Rebirth';
const maxRefused = 5;

/** Reads the payload of an NCMD. Throws WireError when it cannot be read. */
export function readNodeCommand(payload: Uint8Array): NodeCommand {
  const { metrics } = decodePayload(payload);
  return {
    rebirth: metrics.some(({ name, value }) => name === rebirthMetric && value === true),
    resends: metrics.flatMap(({ name, value }) =>
      name === outboxResendMetric && value instanceof Uint8Array ? [decodeResend(value)] : [],
    ),
    refused: metrics
      .filter(({ name }) => name !== rebirthMetric && name !== outboxResendMetric)
      .slice(0, maxRefused)
      .map(({ name, alias }) => (name ?? `alias ${alias ?? '?'}`).slice(0, 80)),
  };
}
