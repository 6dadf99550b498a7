import { decodeResend, outboxResendMetric, type ResendRequest } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';

/** What a host may ask of the node. Everything else in an NCMD is ignored: nothing here writes to a machine. */
export interface NodeCommand {
  /** All births again (tck-id-operational-behavior-data-commands-rebirth-action). */
  readonly rebirth: boolean;
  readonly resends: readonly ResendRequest[];
}

/** Reads the payload of an NCMD. Throws WireError when it cannot be read. */
export function readNodeCommand(payload: Uint8Array): NodeCommand {
  const { metrics } = decodePayload(payload);
  return {
    rebirth: metrics.some(({ name, value }) => name === 'Node Control/Rebirth' && value === true),
    resends: metrics.flatMap(({ name, value }) =>
      name === outboxResendMetric && value instanceof Uint8Array ? [decodeResend(value)] : [],
    ),
  };
}
