import type { Clock, Timer } from '@nhip/core/process/env';
import { ConnectionLostError } from '../../driver.ts';
import { ModbusTimeoutError } from './errors.ts';
import { abortError } from './link.ts';
import type { Exchange } from './pdu.ts';

/** The one request that waits for its answer. It settles exactly once: by an answer, its timeout, its signal or the loss of the link. */
export interface InFlight {
  readonly exchange: Exchange;
  readonly answer: Promise<Buffer>;
  /** Without effect when it is settled already. */
  settle(answer: Buffer | Error): void;
}

export interface InFlightOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What to reject with when the time is over; a `ModbusTimeoutError` when absent. */
  readonly timeoutError?: (() => Error) | undefined;
  /** Called once, before the promise settles; `answered` is false when nothing that belongs to the request came. */
  onSettled(answered: boolean): void;
}

export function startInFlight(exchange: Exchange, { clock, timeoutMs, signal, timeoutError, onSettled }: InFlightOptions): InFlight {
  let settle: InFlight['settle'] = () => {};
  const answer = new Promise<Buffer>((resolve, reject) => {
    let timer: Timer | undefined;
    let isSettled = false;
    const end = (outcome: Buffer | Error, answered: boolean): void => {
      if (isSettled) return;
      isSettled = true;
      timer?.cancel();
      signal.removeEventListener('abort', abort);
      onSettled(answered);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const abort = (): void => end(abortError(signal), false);
    settle = (outcome) => end(outcome, !(outcome instanceof ConnectionLostError));
    timer = clock.after(timeoutMs, () => end(timeoutError?.() ?? new ModbusTimeoutError(exchange, timeoutMs), false));
    signal.addEventListener('abort', abort, { once: true });
  });
  return { exchange, answer, settle };
}
