import type { OutboxIdentity } from '../wire/outbox-identity.ts';

/** Why samples of a message are not in the batch. Every reason is counted and the message kept as a dead letter. */
export type RejectReason =
  | 'malformedPayload'
  | 'unknownTopic'
  | 'unknownMetric'
  | 'beforeBirth'
  | 'timestampOutOfRange'
  | 'notANumber'
  | 'unsupportedType'
  | 'tooManySeries'
  | 'decoderFault';

export interface Reject {
  readonly reason: RejectReason;
  /** What exactly, for the person who looks at the dead letter: the first sample of the message with this reason. */
  readonly detail: string;
  /** Samples concerned; 1 when unknown because the message as a whole could not be read. */
  readonly samples: number;
}

export interface DecoderLimits {
  readonly maxFutureMs: number;
  readonly maxAgeMs: number;
  readonly maxSeriesPerEdge: number;
}

/** Mutable outcome of one message, filled in by the lane decoders. */
export interface Outcome {
  identity: OutboxIdentity | undefined;
  identityCount: number;
  needsRebirth: boolean;
  /** At most one per reason. */
  readonly rejects: Reject[];
}

const maxDetailLength = 300;

/**
 * Counts rejected samples. One reject per reason and message: each is kept with the whole message, so that one reject
 * per sample would let a small message fill the dead letters.
 */
export function addReject(outcome: Outcome, reason: RejectReason, detail: string, samples = 1): void {
  const { rejects } = outcome;
  const i = rejects.findIndex((reject) => reject.reason === reason);
  const known = rejects[i];
  if (known === undefined) rejects.push({ reason, detail: detail.slice(0, maxDetailLength), samples });
  else rejects[i] = { ...known, samples: known.samples + samples };
}
