import { outboxIdentityMetric } from '../wire/outbox-identity.ts';
import { PayloadReader } from '../wire/sparkplug/payload-reader.ts';
import type { EdgeSession, MetricEntry } from './edge-session.ts';
import { isOutboxMetric, readOutboxMetric } from './outbox-metrics.ts';
import { createOutcome, type Outcome } from './outcome.ts';

/**
 * Counts the samples of DATA that could not be decoded, so that they are accounted for: all metrics but those of the outbox. The
 * identity is given back when it is sound and first. `undefined` when not even the frame of the payload holds.
 */
export function countBroken(
  session: EdgeSession | undefined,
  device: string,
  payload: Uint8Array,
): Pick<Outcome, 'identity' | 'identityCount'> | undefined {
  const found: Outcome = createOutcome();
  let reader: PayloadReader;
  try {
    reader = new PayloadReader(payload);
  } catch {
    return undefined;
  }
  let count = 0;
  let isAmbiguous = false;
  for (;;) {
    let name = '';
    try {
      if (!reader.next()) break;
      name = outboxMetricName(session?.byAlias.get(reader.alias), reader);
      if (name === '') count++;
      else readOutboxMetric(reader, name, device, count, found);
    } catch {
      // What carries no readable value was a sample; a second identity leaves no number certain.
      if (name === '') count++;
      else if (name === outboxIdentityMetric) isAmbiguous = true;
    }
  }
  return { identity: isAmbiguous ? undefined : found.identity, identityCount: count };
}

/** Name of the outbox metric that `reader` stands on, '' for any other metric. */
function outboxMetricName(entry: MetricEntry | undefined, reader: PayloadReader): string {
  const name = entry?.name ?? (reader.hasName ? reader.name() : '');
  return isOutboxMetric(name) ? name : '';
}
