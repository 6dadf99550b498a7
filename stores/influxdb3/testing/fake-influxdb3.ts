import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ParsedPoint, parseLineProtocol } from '../../influxdb/testing/parse-line-protocol.ts';

/**
 * There is no InfluxDB 3 among Debian's packages or on npm. These are the answers of 3.10 as its documentation and its source give them
 * (influxdb3_server/src/http.rs), at the wire. A real server may differ.
 */
export interface FakeInfluxdb3 {
  readonly url: string;
  /** Answer for writes in place of the server's own. */
  fault: Reply | 'silent' | undefined;
  readonly limits: { databases: number; tables: number; columns: number; bodyBytes: number };
  /** What `/ping` tells. */
  readonly ping: { version: string; body: Record<string, unknown> };
  /** May it make databases? */
  mayAdminister: boolean;
  readonly databases: Map<string, { readonly retention: string | undefined }>;
  /** Every query that a write came with, and every `Authorization` header. */
  readonly seen: { readonly writes: Set<string>; readonly authorizations: Set<string> };
  /** What it has of one series, by time, oldest first. */
  points(tags: Readonly<Record<string, string>>): readonly (readonly [time: bigint, fields: ParsedPoint['fields']])[];
  /** All that was answered for is on the disk. */
  sync(): void;
  /** The power fails: what was not synced is gone, another process answers. */
  crash(): void;
  close(): Promise<void>;
}

type Series = Map<bigint, ParsedPoint['fields']>;

export async function startFakeInfluxdb3({ token }: { readonly token?: string } = {}): Promise<FakeInfluxdb3> {
  const columns = new Map<string, Map<string, string>>();
  const stored = new Map<string, Series>();
  let unsynced: (() => void)[] = [];
  let processes = 1;

  /** Error of the first line that does not fit the tables, as `accept_partial=false` tells it; undefined: all are taken. */
  function takePoints(points: readonly ParsedPoint[]): { status: number; line: number; text: string } | undefined {
    const next = new Map([...columns].map(([table, types]) => [table, new Map(types)]));
    for (const [i, { name, tags, fields }] of points.entries()) {
      const types = next.get(name) ?? new Map<string, string>([['time', 'time']]);
      next.set(name, types);
      if (next.size > fake.limits.tables)
        return refusal(422, i, `Update to schema would exceed number of tables per database limit of ${fake.limits.tables} tables`);
      for (const [key, type] of [...tags.map(([tag]) => [tag, 'tag']), ...fields.map(([field, value]) => [field, typeOf(value)])]) {
        if (key === undefined || type === undefined) continue;
        const known = types.get(key) ?? type;
        if (known !== type) return refusal(400, i, `invalid column type for column '${key}', expected ${known}, got ${type}`);
        types.set(key, type);
      }
      if (types.size > fake.limits.columns)
        return refusal(422, i, `Update to schema would exceed number of columns per table limit of ${fake.limits.columns} columns`);
    }
    for (const [table, types] of next) columns.set(table, types);
    for (const { tags, fields, time } of points) put(seriesKey(Object.fromEntries(tags)), time ?? 0n, fields);
    return undefined;
  }

  function put(key: string, time: bigint, fields: ParsedPoint['fields']): void {
    const series = stored.get(key) ?? new Map<bigint, ParsedPoint['fields']>();
    stored.set(key, series);
    const before = series.get(time);
    unsynced.push(() => (before === undefined ? series.delete(time) : series.set(time, before)));
    series.set(time, fields);
  }

  function write(query: string, body: Buffer): Reply | 'silent' {
    fake.seen.writes.add(query);
    if (fake.fault !== undefined) return fake.fault;
    if (body.length > fake.limits.bodyBytes) return { status: 413, body: 'max request size exceeded' };
    const database = new URLSearchParams(query).get('db') ?? '';
    if (!fake.databases.has(database)) fake.databases.set(database, { retention: undefined });
    const refused = takePoints(parseLineProtocol(body));
    if (refused === undefined) return { status: 204 };
    if (refused.status === 422) return { status: 422, body: JSON.stringify({ error: refused.text }) };
    const data = { original_line: 'samples…', line_number: refused.line, error_message: refused.text };
    return { status: 400, body: JSON.stringify({ error: 'line protocol parsing error', data }) };
  }

  function makeDatabase(body: Buffer): Reply {
    const { db, retention_period: retention } = JSON.parse(body.toString());
    if (!fake.mayAdminister) return { status: 403, body: '{"error": "requestor is forbidden from requested resource"}' };
    if (fake.databases.has(db)) return { status: 409, body: 'attempted to create a resource that already exists' };
    if (fake.databases.size >= fake.limits.databases)
      return {
        status: 422,
        body: JSON.stringify({ error: `Adding a new database would exceed limit of ${fake.limits.databases} databases` }),
      };
    fake.databases.set(db, { retention });
    return { status: 200 };
  }

  function reply(request: IncomingMessage, body: Buffer): Reply | 'silent' {
    const { pathname, search } = new URL(request.url ?? '', 'http://fake');
    const authorization = request.headers.authorization ?? '';
    fake.seen.authorizations.add(authorization);
    if (token !== undefined && ![`Bearer ${token}`, `Token ${token}`].includes(authorization))
      return { status: 401, body: '{"error": "the request was not authenticated"}' };
    switch (`${request.method} ${pathname}`) {
      case 'GET /ping':
        return { status: 200, body: JSON.stringify(fake.ping.body), headers: { 'x-influxdb-version': fake.ping.version } };
      case 'POST /api/v3/configure/database':
        return makeDatabase(body);
      case 'POST /api/v3/write_lp':
        return write(search.slice(1), body);
      default:
        return { status: 404, body: 'not found' };
    }
  }

  const http = createServer(async (request, response) => {
    const answer = reply(request, await bodyOf(request));
    if (answer !== 'silent') response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

  const fake: FakeInfluxdb3 = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    fault: undefined,
    limits: { databases: 5, tables: 2000, columns: 500, bodyBytes: 10_485_760 },
    ping: { version: '3.10.0', body: { product_name: 'InfluxDB 3 Core', version: '3.10.0', revision: 'd783411', process_id: 'process-1' } },
    mayAdminister: true,
    databases: new Map(),
    seen: { writes: new Set(), authorizations: new Set() },
    points: (tags) => [...(stored.get(seriesKey(tags)) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)),
    sync() {
      unsynced = [];
    },
    crash() {
      for (const undo of unsynced.reverse()) undo();
      unsynced = [];
      fake.ping.body.process_id = `process-${++processes}`;
    },
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return fake;
}

interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

function refusal(status: number, index: number, text: string): { status: number; line: number; text: string } {
  return { status, line: index + 1, text };
}

function typeOf(value: object): string {
  return Object.keys(value)[0] ?? '';
}

function seriesKey({ machine, metric }: Readonly<Record<string, string>>): string {
  return JSON.stringify([machine, metric]);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
