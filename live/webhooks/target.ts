import { withEitherSignal } from '@nhip/core/process/either-signal';
import type { Clock } from '@nhip/core/process/env';
import { PermanentError, reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { WebhookConfig } from './config.ts';
import type { HookEvent } from './events.ts';
import { type PostAnswer, post } from './post.ts';
import { signedHeaders } from './sign.ts';

/**
 * One receiver: events one after the other, in their order. An attempt that fails is made again later, and later still, until the event
 * is an hour old; one that the receiver refuses (4xx) ends after three attempts, so that it does not hold up the rest. The queue is in
 * memory and bounded: beyond it the oldest event is dropped and counted. Nothing waits for it.
 */
export interface Target {
  readonly name: string;
  enqueue(event: HookEvent): void;
  stats(): TargetStats;
  /** Ends the attempt that runs. What waits is lost. */
  stop(): Promise<void>;
}

export interface TargetStats {
  readonly waiting: number;
  readonly delivered: number;
  readonly failedAttempts: number;
  /** Given up after their last attempt. */
  readonly givenUp: number;
  /** Pushed out of the full queue. */
  readonly dropped: number;
  /** The last attempt failed. */
  readonly isFailing: boolean;
}

export interface RetryPolicy {
  readonly attemptMs: number;
  readonly firstDelayMs: number;
  readonly mostDelayMs: number;
  readonly giveUpAfterMs: number;
  readonly mostRefusals: number;
  readonly mostWaiting: number;
}

export const retryPolicy: RetryPolicy = {
  attemptMs: 10_000,
  firstDelayMs: 1000,
  mostDelayMs: 300_000,
  giveUpAfterMs: 3_600_000,
  mostRefusals: 3,
  mostWaiting: 1000,
};

export interface TargetDeps {
  readonly key: Buffer;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly policy?: RetryPolicy;
}

interface Waiting {
  readonly event: HookEvent;
  readonly sinceMs: number;
  attempts: number;
  refusals: number;
}

interface Failure {
  readonly why: string;
  readonly isRefusal: boolean;
  readonly retryAfterMs?: number | undefined;
}

export function createTarget(config: WebhookConfig, { key, clock, log, random, policy = retryPolicy }: TargetDeps): Target {
  const { name } = config;
  const queue: Waiting[] = [];
  const stopping = new AbortController();
  const counts = { delivered: 0, failedAttempts: 0, givenUp: 0, dropped: 0 };
  let isFailing = false;
  let sending: Promise<void> | undefined;

  /** undefined when the receiver took it. */
  async function attempt({ id, body }: HookEvent): Promise<Failure | undefined> {
    const timeout = new AbortController();
    const timer = clock.after(policy.attemptMs, () => timeout.abort());
    try {
      const headers = signedHeaders(key, id, clock.now(), body);
      const answer = await withEitherSignal([timeout.signal, stopping.signal], (signal) =>
        post(config.url, body, { headers, allowPrivateNetwork: config.allowPrivateNetwork, signal }),
      );
      return failureOf(answer);
    } catch (error) {
      if (timeout.signal.aborted) return { why: `no answer within ${policy.attemptMs / 1000} s`, isRefusal: false };
      return { why: reasonOf(error), isRefusal: error instanceof PermanentError };
    } finally {
      timer.cancel();
    }
  }

  function tell(failure: Failure | undefined): void {
    if (failure === undefined && isFailing) log.info({ webhook: name }, 'The webhook takes events again');
    if (failure !== undefined && !isFailing)
      log.warn({ webhook: name, why: failure.why }, 'The webhook does not take an event; it is tried again');
    isFailing = failure !== undefined;
  }

  function remove(waiting: Waiting): void {
    // It may have been pushed out while it was on its way.
    if (queue[0] === waiting) queue.shift();
  }

  function isOver(waiting: Waiting): boolean {
    return waiting.refusals >= policy.mostRefusals || clock.monotonic() - waiting.sinceMs >= policy.giveUpAfterMs;
  }

  function delayMs({ attempts }: Waiting, { retryAfterMs = 0 }: Failure): number {
    const backoffMs = policy.firstDelayMs * 2 ** Math.min(attempts - 1, 30);
    // Spread, so that receivers that come back are not met by everybody at once.
    return Math.min(policy.mostDelayMs, Math.max(backoffMs, retryAfterMs)) * (0.75 + random() / 4);
  }

  async function sendAll(): Promise<void> {
    for (let next = queue[0]; next !== undefined && !stopping.signal.aborted; next = queue[0]) {
      const failure = await attempt(next.event);
      if (stopping.signal.aborted) break;
      tell(failure);
      if (failure === undefined) {
        counts.delivered += 1;
        remove(next);
        continue;
      }
      counts.failedAttempts += 1;
      next.attempts += 1;
      next.refusals += failure.isRefusal ? 1 : 0;
      if (isOver(next)) {
        counts.givenUp += 1;
        remove(next);
        continue;
      }
      await clock.sleep(delayMs(next, failure), stopping.signal).catch(() => undefined);
    }
    sending = undefined;
  }

  return {
    name,
    enqueue(event) {
      if (stopping.signal.aborted) return;
      if (queue.length >= policy.mostWaiting) {
        queue.shift();
        counts.dropped += 1;
      }
      queue.push({ event, sinceMs: clock.monotonic(), attempts: 0, refusals: 0 });
      sending ??= sendAll();
    },
    stats: () => ({ ...counts, waiting: queue.length, isFailing }),
    async stop() {
      stopping.abort();
      await sending;
    },
  };
}

function failureOf({ status, retryAfterMs }: PostAnswer): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  const isLater = status === 408 || status === 409 || status === 425 || status === 429;
  return { why: `it answered ${status}`, isRefusal: status >= 300 && status < 500 && !isLater, retryAfterMs };
}
