import type { EdgeTrace } from './edge-scenario.ts';
import { type Sent, sent } from './trace.ts';

/** One thing that was looked at: right, or what is wrong with it. */
export type Verdict = true | string;

/** Looks at a trace. No verdict at all is a failure too: then the scenario did not provoke what the requirement is about. */
export type Check = (trace: EdgeTrace) => readonly Verdict[];

export function each<T>(items: readonly T[], isRight: (item: T, i: number) => boolean, say: (item: T) => string): readonly Verdict[] {
  return items.map((item, i) => isRight(item, i) || say(item));
}

/** Every message of the given types must be right. */
export function every(types: readonly string[], isRight: (message: Sent) => boolean): Check {
  return ({ events }) => each(sent(events, ...types), isRight, describeMessage);
}

/** What is wrong; empty when nothing is. */
export function problems(check: Check, trace: EdgeTrace): readonly string[] {
  const verdicts = check(trace);
  if (verdicts.length === 0) return ['nothing was there to look at'];
  return verdicts.filter((verdict) => verdict !== true).slice(0, 5);
}

export function describeMessage({ topic, qos, retain, payload, at }: Sent): string {
  const metrics = payload?.metrics.map(({ name, alias }) => name ?? alias).slice(0, 8);
  return `${topic} qos ${qos} retain ${retain} seq ${payload?.seq} on connection ${at.connection}: ${metrics?.join(', ')}`;
}
