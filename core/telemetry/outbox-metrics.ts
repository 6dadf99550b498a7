import { decodeLossReport, type LossReason } from '../wire/loss.ts';
import { decodeIdentity, outboxIdentityMetric, outboxLossMetric, outboxReleasedMetric } from '../wire/outbox-identity.ts';
import type { Metric } from '../wire/sparkplug/payload.ts';
import { type PayloadReader, valueField } from '../wire/sparkplug/payload-reader.ts';
import { decodeText } from '../wire/sparkplug/proto-reader.ts';
import { WireError } from '../wire/wire-error.ts';
import { type Outcome, tickModulus } from './outcome.ts';

/** Metrics by which an edge's outbox speaks to the server. They are recognised by name, take no number and never become series. */
export function isOutboxMetric(name: string): boolean {
  return name === outboxIdentityMetric || name === outboxReleasedMetric || name === outboxLossMetric;
}

/** What only the server can find out: an edge that reports it is not to be believed. */
const serverReasons: ReadonlySet<LossReason> = new Set(['outboxReplaced', 'logGone', 'tooScattered', 'deadLettered']);

/**
 * Takes the outbox metric `name` that `reader` stands on, in DATA of `device` ('' for the node). `place` is how many samples came before it in
 * the message. Throws WireError when it is malformed, or when a second or a late identity makes the numbers of the message ambiguous.
 */
export function readOutboxMetric(reader: PayloadReader, name: string, device: string, place: number, outcome: Outcome): void {
  if (name === outboxLossMetric) {
    if (reader.field !== valueField.string) throw new WireError('wire.malformed', `${name} carries no text`);
    if (device === '') takeLoss(decodeText(reader.bytes, reader.start, reader.end), outcome);
    return;
  }
  if (reader.field !== valueField.bytes) throw new WireError('wire.malformed', `${name} carries no bytes`);
  const found = decodeIdentity(reader.bytes, reader.start, reader.end);
  if (name === outboxIdentityMetric) {
    if (outcome.identity !== undefined || place > 0)
      throw new WireError('wire.malformed', `${name} is not the first metric, or is there twice`);
    outcome.identity = found;
    outcome.firstTick = found.seq % tickModulus;
  } else if (device === '') {
    if (outcome.released !== undefined) throw new WireError('wire.malformed', `${name} is there twice`);
    outcome.released = found;
  }
}

/** The same for the metrics of an NBIRTH; an identity there only declares that there is an outbox. */
export function readBirthOutbox(metrics: readonly Metric[], outcome: Outcome): void {
  for (const { name, value } of metrics) {
    if (name === outboxReleasedMetric && value instanceof Uint8Array) outcome.released = decodeIdentity(value, 0, value.length);
    else if (name === outboxLossMetric && typeof value === 'string') takeLoss(value, outcome);
  }
}

function takeLoss(text: string, outcome: Outcome): void {
  const report = decodeLossReport(text);
  if (serverReasons.has(report.reason))
    throw new WireError('wire.malformed', `${outboxLossMetric}: "${report.reason}" is not for an edge to say`);
  outcome.losses.push(report);
}
