import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import type { HttpAnswer, HttpClient } from './http-client.ts';
import { retryAfterOf, writeAnswerOf } from './write-answer.ts';

/** Where a point goes: samples into the database's default retention, which may end; the rest is kept for ever. */
export type Place = 'samples' | 'kept';

/** Name of the retention policy (2.x: second half of the bucket's name) that never ends. */
export const keptPolicy = 'kept';

export type WriteAnswer =
  | { readonly kind: 'stored' }
  /** The body is larger than the server takes. */
  | { readonly kind: 'tooLarge' }
  /** At least one point will never be taken; others of the body may have been. What the server says of how many is not to be trusted. */
  | { readonly kind: 'refused'; readonly reason: string };

export type Cell = number | string | boolean | null;

/** One series of an answer: its tags, and its rows by column. */
export interface Series {
  readonly tags: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly Cell[])[];
}

export interface InfluxServer {
  /** Version by `/ping`. Rejects with RetryableError when nobody answers, PermanentError when it is no InfluxDB. */
  version(): Promise<{ readonly text: string; readonly major: number }>;
  /**
   * Resolves when the server has answered for the points. Rejects with RetryableError when it is busy, out of order or gone: sending the
   * same again is right and harmless, also when it was done; with PermanentError when it does not let us in.
   */
  write(place: Place, body: string | Uint8Array): Promise<WriteAnswer>;
  /** Runs InfluxQL statements; one list of series each, times in ms. Rejects as `write`, and with PermanentError for a statement that fails. */
  query(statements: readonly string[], options?: QueryOptions): Promise<readonly (readonly Series[])[]>;
  /** What the server says of itself at this path; undefined when it does not, or not to us. Rejects with RetryableError when nobody answers. */
  page(path: string): Promise<string | undefined>;
}

export interface QueryOptions {
  readonly isAdministration?: boolean;
  /** The server has little to do for it: it gets no more time than a write. Writing waits for such queries. */
  readonly isSmall?: boolean;
}

const queryTimeoutMs = 60_000;
const maxHintLength = 300;

/** Speaks HTTP with one InfluxDB: `/write` to 1.x, `/api/v2/write` to 2.x; InfluxQL by `/query` to both. */
export function createInfluxServer(
  http: HttpClient,
  options: {
    readonly url: string;
    readonly database: string;
    readonly organisation: string | undefined;
    readonly requestTimeoutMs: number;
  },
): InfluxServer {
  const { database, requestTimeoutMs } = options;
  const where = `InfluxDB at ${options.url}`;
  let major = 1;

  function writePath(place: Place): string {
    const search = new URLSearchParams({ precision: 'ns' });
    if (major >= 2) {
      search.set('bucket', place === 'kept' ? `${database}/${keptPolicy}` : database);
      if (options.organisation !== undefined) search.set('org', options.organisation);
      return `/api/v2/write?${search}`;
    }
    search.set('db', database);
    if (place === 'kept') search.set('rp', keptPolicy);
    return `/write?${search}`;
  }

  /** Throws what an answer that is neither a success nor about the content means. */
  function refuse(answer: HttpAnswer): never {
    const { status } = answer;
    const said = saidBy(answer);
    if (status === 401 || status === 403) {
      throw new PermanentError(
        'store.denied',
        `${where} does not let us in (${status} ${said}): check user, password or token and their rights`,
      );
    }
    if (status === 404)
      throw new RetryableError(
        'store.noDatabase',
        `${where} has no database or bucket ${database} (404 ${said}): make it, or start ingest again`,
      );
    const isFull = said.includes('no space left');
    const code = isFull ? 'store.diskFull' : 'store.busy';
    const hint = isFull ? '. Free space on its disk, then restart influxd: it does not recover by itself' : '';
    throw new RetryableError(code, `${where} answered ${status} ${said}${hint}`, retryAfterOf(answer));
  }

  return {
    async version() {
      const answer = await http.get('/ping', { timeoutMs: requestTimeoutMs });
      if (answer.status >= 400) refuse(answer);
      const text = answer.header('x-influxdb-version').replace(/^v/, '');
      const [, found] = /^(\d+)\./.exec(text) ?? [];
      if (found === undefined) {
        throw new PermanentError(
          'store.notInfluxdb',
          `What answers at ${options.url} does not say that it is InfluxDB (1.x or 2.x): correct store.url`,
        );
      }
      major = Number(found);
      return { text, major };
    },

    async write(place, body) {
      const answer = await http.post(writePath(place), body, { timeoutMs: requestTimeoutMs, contentType: 'text/plain; charset=utf-8' });
      return writeAnswerOf(answer, () => saidBy(answer)) ?? refuse(answer);
    },

    async query(statements, { isAdministration = false, isSmall = false } = {}) {
      // In chunks: no limit of rows cuts such an answer off, and in one piece InfluxDB 1.x calls every series of more than 10,000 cut.
      const search = new URLSearchParams({ epoch: 'ms', chunked: 'true', ...(isAdministration ? {} : { db: database }) });
      const body = new URLSearchParams({ q: statements.join(';') }).toString();
      const answer = await http.post(`/query?${search}`, body, {
        timeoutMs: isSmall ? requestTimeoutMs : queryTimeoutMs,
        contentType: 'application/x-www-form-urlencoded',
      });
      if (answer.status !== 200 && answer.status !== 400) refuse(answer);
      return readQueryAnswer(answer, statements, where);
    },

    async page(path) {
      const answer = await http.get(path, { timeoutMs: requestTimeoutMs });
      if (answer.status >= 500) refuse(answer);
      return answer.status === 200 ? answer.text : undefined;
    },
  };
}

interface QueryAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly statement_id?: number;
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values?: readonly (readonly Cell[])[];
      /** Goes on in the next chunk. */
      readonly partial?: boolean;
    }[];
  }[];
}

function readQueryAnswer(answer: HttpAnswer, statements: readonly string[], where: string): readonly (readonly Series[])[] {
  // A chunk a line.
  const chunks = answer.text.trim().split('\n').map(parse);
  const results = chunks.flatMap((chunk) => (chunk.results ?? []).map((result, i) => ({ statement: result.statement_id ?? i, ...result })));
  const failed = chunks.find(({ error }) => error !== undefined)?.error ?? results.find(({ error }) => error !== undefined)?.error;
  if (failed !== undefined) {
    if (failed.startsWith('database not found'))
      throw new RetryableError('store.noDatabase', `${where}: ${failed}; start ingest, which makes it`);
    throw new PermanentError('store.query', `${where} refused a query: ${failed.slice(0, maxHintLength)}`);
  }
  if (answer.status !== 200) throw new PermanentError('store.query', `${where} refused a query: ${saidBy(answer)}`);
  const found: (Series & { readonly values: (readonly Cell[])[] })[][] = statements.map(() => []);
  const unfinished = new Set<number>();
  for (const { statement, series = [] } of results) {
    for (const { tags = {}, columns, values = [], partial = false } of series) {
      const last = unfinished.has(statement) ? found[statement]?.at(-1) : undefined;
      if (last === undefined) found[statement]?.push({ tags, columns, values: [...values] });
      else for (const row of values) last.values.push(row);
      if (partial) unfinished.add(statement);
      else unfinished.delete(statement);
    }
  }
  if (unfinished.size > 0) throw new RetryableError('store.unanswered', `${where} ended in the middle of an answer`);
  return found;
}

function parse(text: string): QueryAnswer {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch (cause) {
    throw new RetryableError('store.unanswered', 'An answer of InfluxDB is not JSON: is there a proxy between?', { cause });
  }
}

/** What the server says in its own words, one line. */
function saidBy({ text }: HttpAnswer): string {
  let said = text;
  try {
    const { error, message } = JSON.parse(text) as { readonly error?: unknown; readonly message?: unknown };
    said = String(error ?? message ?? text);
  } catch {
    // A proxy answers in HTML.
  }
  return said.replace(/\s+/g, ' ').trim().slice(0, maxHintLength);
}
