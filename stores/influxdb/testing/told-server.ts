import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { createHttpClient, type HttpClient } from '../http-client.ts';
import { createInfluxServer, type InfluxServer } from '../influx-server.ts';

export type Told = readonly [status: number, body: string];

/** Starts a server at the wire that answers each path (without its query) and body as told; it goes with the test. */
export type StartTold = (
  answer: (path: string, body: string) => Told,
  version?: string,
) => Promise<{ readonly url: string; readonly server: InfluxServer }>;

/** For one file of tests: at its top. */
export function toldServers(): StartTold {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });
  return async (answer, version = 'v2.7.12') => {
    const http = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const [status, text] = answer(new URL(request.url ?? '', 'http://told').pathname, Buffer.concat(chunks).toString());
      response.writeHead(status, { 'x-influxdb-version': version, 'content-type': 'application/json' }).end(status === 204 ? '' : text);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const client: HttpClient = createHttpClient({ url, authorization: undefined, ca: undefined, maxSockets: 2 });
    ends.push(() => {
      client.close();
      http.closeAllConnections();
      http.close();
    });
    return { url, server: createInfluxServer(client, { url, database: 'nhip', organisation: 'works', requestTimeoutMs: 2000 }) };
  };
}
