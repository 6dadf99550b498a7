import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RetryableError } from '@nhip/core/process/errors';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpClient } from './http-client.ts';
import { createInfluxServer, type InfluxServer } from './influx-server.ts';
import { createSampleEncoder } from './sample-lines.ts';
import { sendSamples } from './sample-sender.ts';

interface Scripted {
  readonly server: InfluxServer;
  /** Bodies in the order in which they came, by path. */
  readonly bodies: { readonly path: string; readonly lines: readonly string[] }[];
}

let opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  opened = [];
});

/** A client of what listens at a port of its own; both are closed after the test. */
async function clientOf(http: Server, maxSockets: number): Promise<{ readonly url: string; readonly client: HttpClient }> {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const client = createHttpClient({ url, authorization: undefined, ca: undefined, maxSockets });
  opened.push({
    close() {
      client.close();
      http.closeAllConnections();
      return new Promise((resolve) => http.close(resolve));
    },
  });
  return { url, client };
}

/** A server at the wire that answers as told: a status, or nothing at all for 0. */
async function scripted(
  answer: (lines: readonly string[], count: number) => number,
  { version = '1.6.7', headers = {}, requestTimeoutMs = 10_000 } = {},
): Promise<Scripted> {
  const bodies: { path: string; lines: string[] }[] = [];
  const http = createServer(async (request, response) => {
    if (request.url === '/ping') {
      response.writeHead(204, { 'x-influxdb-version': version }).end();
      return;
    }
    const lines = (await textOf(request).catch(() => '')).split('\n').filter((line) => line !== '');
    bodies.push({ path: request.url ?? '', lines });
    const status = answer(lines, bodies.length);
    if (status === 0) return;
    response.writeHead(status, headers).end(status === 204 ? '' : '{"error":"partial write: dropped=0"}');
  });
  const { url, client } = await clientOf(http, 4);
  const server = createInfluxServer(client, { url, database: 'nhip', organisation: 'works', requestTimeoutMs });
  await server.version();
  return { server, bodies };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function numbers(count: number): SampleBatch {
  const series = new SeriesTable();
  const batch = new SampleBatch(series);
  for (let i = 0; i < count; i++) batch.push(series.id('g/e/d', 'A'), 1000 + i, i, i, 192, false);
  return batch;
}

const send = (server: InfluxServer, batch: SampleBatch, skip = new Set<number>()) =>
  sendSamples(server, createSampleEncoder(), batch, skip, 3);
const isBad = (lines: readonly string[]): boolean => lines.some((line) => / v=(7|8|600) /.test(line));

describe('sending samples', () => {
  it('sends every row once, in bodies of about 1 MB, to /write of 1.x', async () => {
    const { server, bodies } = await scripted(() => 204);
    expect(await send(server, numbers(60_000), new Set([5]))).toEqual([]);
    const lines = bodies.flatMap((body) => body.lines);
    expect(bodies.length).toBeGreaterThan(1);
    expect(lines).toHaveLength(59_999);
    expect(new Set(lines).size).toBe(59_999);
    expect(bodies[0]?.path).toBe('/write?precision=ns&db=nhip');
    expect(lines).toContain('samples,machine=g/e/d,metric=A v=7 1007000007');
  });

  it('sends to the bucket of 2.x', async () => {
    const { server, bodies } = await scripted(() => 204, { version: 'v2.7.1' });
    await send(server, numbers(1));
    await server.write('kept', 'x a=1 1');
    expect(bodies.map(({ path }) => path)).toEqual([
      '/api/v2/write?precision=ns&bucket=nhip&org=works',
      '/api/v2/write?precision=ns&bucket=nhip%2Fkept&org=works',
    ]);
  });

  it('finds the samples that are refused one by one; the rest is accepted', async () => {
    const accepted = new Set<string>();
    const { server } = await scripted((lines) => {
      // What a real server does: it takes the good points of a bad body, and says 400.
      for (const line of lines) if (line.startsWith('samples,') && !isBad([line])) accepted.add(line);
      return isBad(lines) ? 400 : 204;
    });
    const refused = await send(server, numbers(1000));
    expect(refused.map(({ row }) => row)).toEqual([7, 8, 600]);
    expect(refused[0]?.reason).toContain('partial write');
    expect(accepted.size).toBe(997);
  });

  it('halves bodies that are too large', async () => {
    const { server, bodies } = await scripted((lines) => (lines.length > 100 ? 413 : 204));
    expect(await send(server, numbers(1000))).toEqual([]);
    expect(new Set(bodies.flatMap(({ lines }) => (lines.length > 100 ? [] : lines))).size).toBe(1000);
  });

  it('refuses nobody when the server refuses everything, a harmless point too', async () => {
    const { server } = await scripted(() => 400);
    await expect(send(server, numbers(3))).rejects.toMatchObject({ code: 'store.refusesAll' });
    expect((await send((await scripted((lines) => (lines[0]?.startsWith('probe ') ? 204 : 400))).server, numbers(3))).length).toBe(3);
  });

  it('asks a server that refuses everything about one harmless point, not about every sample', async () => {
    const { server, bodies } = await scripted(() => 400);
    await expect(send(server, numbers(5000))).rejects.toMatchObject({ code: 'store.refusesAll' });
    expect(bodies.filter(({ lines }) => lines[0]?.startsWith('probe '))).toHaveLength(1);
    expect(bodies.length).toBeLessThan(8);
  });

  it.each([429, 500, 502, 503])('tries later after %i, when the server asks for it', async (status) => {
    const { server } = await scripted(() => status, { headers: { 'retry-after': '3' } });
    const error = await send(server, numbers(3)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code: 'store.busy', retryAfterMs: 3000 });
  });

  it('does not wait for a day because a server asks for it', async () => {
    const { server } = await scripted(() => 503, { headers: { 'retry-after': '86400' } });
    await expect(send(server, numbers(3))).rejects.toMatchObject({ code: 'store.busy', retryAfterMs: 300_000 });
  });

  it('gives up waiting for an answer, and says so', async () => {
    const { server } = await scripted(() => 0, { requestTimeoutMs: 1000 });
    await expect(send(server, numbers(3))).rejects.toMatchObject({ code: 'store.unanswered', message: expect.stringContaining('1000 ms') });
  });

  it('says who is not let in, and that the database is gone', async () => {
    await expect(send((await scripted(() => 401)).server, numbers(1))).rejects.toMatchObject({ code: 'store.denied' });
    await expect(send((await scripted(() => 404)).server, numbers(1))).rejects.toMatchObject({ code: 'store.noDatabase' });
  });

  it('waits for what is on the way before it rejects', async () => {
    let open = 0;
    const { server } = await scripted((_, count) => {
      open = count;
      return count === 1 ? 503 : 204;
    });
    await expect(send(server, numbers(200_000))).rejects.toMatchObject({ code: 'store.busy' });
    const after = open;
    await new Promise((resolve) => setImmediate(resolve));
    expect(open).toBe(after);
    expect(open).toBeLessThan(7);
  });
});

describe('the server', () => {
  it('says what to do about a full disk', async () => {
    const full = createServer((_, response) => response.writeHead(500).end('{"error":"write /data/wal: no space left on device"}'));
    const { url, client } = await clientOf(full, 1);
    const server = createInfluxServer(client, { url, database: 'nhip', organisation: undefined, requestTimeoutMs: 10_000 });
    await expect(server.write('samples', 'a b=1 1')).rejects.toThrow(/restart influxd/);
  });

  it('is not taken for InfluxDB when it does not say so', async () => {
    await expect(scripted(() => 204, { version: '' })).rejects.toMatchObject({ code: 'store.notInfluxdb' });
  });
});
