import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import type { HttpAnswer, HttpClient } from '../influxdb/http-client.ts';
import { retryAfterOf, writeAnswerOf } from '../influxdb/write-answer.ts';
import type { LateServer, ServerLook } from '../late/late-store.ts';

const maxHintLength = 300;

interface Influxdb3Options {
  readonly url: string;
  readonly database: string;
  readonly retentionDays?: number | undefined;
  readonly requestTimeoutMs: number;
}

/**
 * Speaks HTTP with one InfluxDB 3. Writes by `/api/v3/write_lp`: the one of its endpoints that tells content which it will never take
 * (400, 422) from a log that cannot be written (500); `/api/v2/write` answers 400 to both. A body is taken as a whole or not at all
 * (`accept_partial=false`), and answered for when the server has put its log into its object store (`no_sync=false`).
 */
export function createInfluxdb3Server(http: HttpClient, options: Influxdb3Options): LateServer<ServerLook> {
  const { url, database, retentionDays, requestTimeoutMs: timeoutMs } = options;
  const where = `InfluxDB at ${url}`;
  const writePath = `/api/v3/write_lp?${new URLSearchParams({
    ...{ db: database, precision: 'nanosecond' },
    ...{ accept_partial: 'false', no_sync: 'false' },
  })}`;
  let hasDatabase = false;

  /** Throws what an answer that is neither a success nor about the content means. */
  function refuse(answer: HttpAnswer): never {
    const { status } = answer;
    const said = saidBy(answer);
    if (status === 401 || status === 403)
      throw new PermanentError('store.denied', `${where} does not let us in (${status} ${said}): check tokenFile and the token's rights`);
    if (status === 404)
      throw new RetryableError('store.noDatabase', `${where} has no database ${database} (404 ${said}): make it, or start ingest again`);
    const code = /no space left/i.test(said) ? 'store.diskFull' : 'store.busy';
    throw new RetryableError(code, `${where} answered ${status} ${said}`, retryAfterOf(answer));
  }

  async function makeDatabase(): Promise<void> {
    const body = JSON.stringify({ db: database, ...(retentionDays === undefined ? {} : { retention_period: `${retentionDays}d` }) });
    const answer = await http.post('/api/v3/configure/database', body, { timeoutMs, contentType: 'application/json' });
    const { status } = answer;
    // 409: it is there. 403: a token that may only write; the database must be there then.
    hasDatabase = status < 300 || status === 409 || status === 403;
    if (hasDatabase) return;
    if (status !== 400 && status !== 422) refuse(answer);
    throw new PermanentError(
      'store.noDatabase',
      `${where} makes no database ${database} (${status} ${saidBy(answer)}): delete one that nobody needs, or name one that is there`,
    );
  }

  return {
    async look() {
      const answer = await http.get('/ping', { timeoutMs });
      if (answer.status !== 200 && answer.status !== 204) refuse(answer);
      const version = answer.header('x-influxdb-version').replace(/^v/, '');
      if (!/^([3-9]|\d\d)\./.test(version)) {
        const advice = version === '' ? 'correct its url' : 'use type: influxdb for it';
        throw new PermanentError(
          'store.notInfluxdb3',
          `What answers at ${url} is not InfluxDB 3 (version ${version || 'not told'}): ${advice}`,
        );
      }
      const { process_id: process } = parse(answer.text);
      if (typeof process !== 'string' || process === '') {
        throw new PermanentError(
          'store.notInfluxdb3',
          `${where} (${version}) does not tell its process_id at /ping, by which its restarts are seen: reach it without a proxy, or update it`,
        );
      }
      if (!hasDatabase) await makeDatabase();
      return { process };
    },

    async write(_place, body) {
      const answer = await http.post(writePath, body, { timeoutMs, contentType: 'text/plain; charset=utf-8' });
      return writeAnswerOf(answer, () => saidBy(answer)) ?? refuse(answer);
    },
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? (answer as Readonly<Record<string, unknown>>) : {};
  } catch {
    // Some errors are plain text, those of a proxy HTML.
    return {};
  }
}

/** What the server says in its own words, one line: `{"error": …, "data": {"error_message": …}}`, data also as a list. */
function saidBy({ text }: HttpAnswer): string {
  const { error, message, data } = parse(text);
  const first: unknown = Array.isArray(data) ? data[0] : data;
  const detail = typeof first === 'object' && first !== null && 'error_message' in first ? `: ${first.error_message}` : '';
  return `${error ?? message ?? text}${detail}`.replace(/\s+/g, ' ').trim().slice(0, maxHintLength);
}
