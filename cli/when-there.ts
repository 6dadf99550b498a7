import type { Clock } from '@nhip/core/process/env';
import { RetryableError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';

const firstPauseMs = 250;
const longestPauseMs = 5000;

/** What is worth waiting for: another program that is not up yet. A port in use is not. */
const awaited = (error: unknown): error is RetryableError =>
  error instanceof RetryableError && (error.code.startsWith('store.') || error.code === 'log.notThere');

/**
 * Tries until the store or the log is there; says once what it waits for, and when it came. Rejects with any other error, and when
 * `signal` aborts.
 */
export async function whenThere<T>(
  attempt: () => Promise<T>,
  {
    clock,
    log,
    signal,
    waiting,
  }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal; waiting?(problem: string | undefined): void },
): Promise<T> {
  let said = '';
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      const result = await attempt();
      if (said !== '') log.info('It is there');
      waiting?.(undefined);
      return result;
    } catch (error) {
      if (!awaited(error)) throw error;
      if (error.code !== said) log.warn({ reason: error.message, code: error.code }, 'Waiting until it is there');
      said = error.code;
      waiting?.(error.message);
      await clock.sleep(error.retryAfterMs ?? pauseMs, signal);
    }
  }
}
