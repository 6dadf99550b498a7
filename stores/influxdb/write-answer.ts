import type { HttpAnswer } from './http-client.ts';
import type { WriteAnswer } from './influx-server.ts';

/** What the status of a write says about its body; `said` are the server's words. undefined: the answer is not about the body. */
export function writeAnswerOf({ status }: HttpAnswer, said: () => string): WriteAnswer | undefined {
  switch (status) {
    case 204:
      return { kind: 'stored' };
    case 413:
      return { kind: 'tooLarge' };
    case 400:
    case 422:
      return { kind: 'refused', reason: said() };
    default:
      return undefined;
  }
}

/** A server that asks for a day means that somebody must look at it; it is asked again all the same. */
const longestRetryAfterS = 300;

/** The wait that a server asks for in seconds, as an option of RetryableError; a date, which none of them sends, is none. */
export function retryAfterOf(answer: HttpAnswer): { readonly retryAfterMs?: number } {
  const seconds = Number(answer.header('retry-after'));
  return seconds > 0 ? { retryAfterMs: Math.min(seconds, longestRetryAfterS) * 1000 } : {};
}
