import type { Clock, Timer } from '@nhip/core/process/env';
import { ConnectionLostError } from '../driver.ts';

/**
 * Waits for a driver's promise, but neither beyond `signal` nor for ever: after `limitMs` it rejects with `ConnectionLostError`. Drivers
 * obey their signal and have timeouts of their own; this is for one that hangs.
 */
export function within<T>(clock: Clock, limitMs: number, what: string, promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const settled = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      settled();
      reject(signal?.reason);
    };
    timer = clock.after(limitMs, () => {
      settled();
      reject(new ConnectionLostError(`${what} took longer than ${limitMs} ms`));
    });
    signal?.addEventListener('abort', abort, { once: true });
    promise.finally(settled).then(resolve, reject);
    if (signal?.aborted) abort();
  });
}
