import { RetryableError } from '@nhip/core/process/errors';
import { foreignObject } from '../foreign-json.ts';
import type { Adapter } from './adapter.ts';
import { heldReports } from './held-reports.ts';
import type { HttpAnswer } from './http-request.ts';
import { createPlatformRequests, type PlatformRequestsDeps } from './platform-requests.ts';
import { problemOf, refusalOf } from './refusal.ts';

/** Sends reports to a sector platform over HTTP: `POST /reports`, the bytes as they are. 201: stored now; 200: was there before. */
export function createHttpsAdapter(deps: PlatformRequestsDeps): Adapter {
  const platform = createPlatformRequests(deps);
  return {
    kind: 'https',
    async send({ bytes }, signal) {
      const path = '/reports';
      const answer = await platform.post(path, { type: 'application/json', bytes }, signal);
      if (answer.status === 200 || answer.status === 201) {
        return { kind: 'receipt', bytes: answer.body, isRepeat: answer.status === 200 };
      }
      return refusalOf(answer) ?? retryLater(answer, platform.under(path));
    },
    held: (seriesKey, signal) => heldReports(platform, seriesKey, signal),
    async sendEvents(bytes, signal) {
      const path = '/machine-status/events';
      const answer = await platform.post(path, { type: 'application/cloudevents-batch+json', bytes }, signal);
      if (answer.status < 200 || answer.status > 299) retryLater(answer, platform.under(path));
      // How many the other side will never take; of an answer that does not tell, none.
      const refused = foreignObject(answer.body)?.refused;
      return { refused: Array.isArray(refused) ? refused.length : 0 };
    },
    async close() {
      platform.close();
    },
  };
}

function retryLater({ status, retryAfterMs, body }: HttpAnswer, url: URL): never {
  const { detail } = problemOf(body);
  const advice =
    status === 404 ? ': is the address in the policy right?' : status === 401 || status === 403 ? ': is the client allowed to send?' : '';
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  throw new RetryableError(
    'gateway.answer',
    `${url.href} answered ${status}${detail === undefined ? '' : ` (${detail})`}${advice}`,
    options,
  );
}
