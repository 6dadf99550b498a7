import type { LossReport } from '../wire/loss.ts';
import type { OutboxIdentity } from '../wire/outbox-identity.ts';
import { Rejects } from './rejects.ts';

export interface DecoderLimits {
  readonly maxFutureMs: number;
  readonly maxAgeMs: number;
  readonly maxSeriesPerEdge: number;
}

/** Mutable outcome of one message, filled in by the lane decoders. */
export interface Outcome {
  identity: OutboxIdentity | undefined;
  identityCount: number;
  /** Tick of the sample at place 0. */
  firstTick: number;
  released: OutboxIdentity | undefined;
  readonly losses: LossReport[];
  needsRebirth: boolean;
  readonly rejects: Rejects;
}

export function createOutcome(): Outcome {
  return {
    identity: undefined,
    identityCount: 0,
    firstTick: 0,
    released: undefined,
    losses: [],
    needsRebirth: false,
    rejects: new Rejects(),
  };
}

/** Forgets what a message said before it turned out to be malformed. */
export function resetOutcome(outcome: Outcome): void {
  outcome.identity = undefined;
  outcome.identityCount = 0;
  outcome.released = undefined;
  outcome.losses.length = 0;
  outcome.rejects.clear();
}

/** Ticks keep samples of one millisecond apart; they come from the sequence number (outbox) or the log index. */
export const tickModulus = 1_000_000;

/** A prime, larger than most messages: the same metric at another place of the next message must not get the same tick. */
const ticksPerRecord = 1009;

/** Tick of the first sample of a message without an outbox identity, from its place in the log. */
export function firstTickOf(index: number): number {
  return ((index % tickModulus) * ticksPerRecord) % tickModulus;
}

/** Place in its message of the sample with `tick`, of a message whose first sample has `firstTick`. */
export function placeOf(tick: number, firstTick: number): number {
  return (tick - firstTick + tickModulus) % tickModulus;
}
