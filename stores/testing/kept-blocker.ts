import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Forwards to InfluxDB; while it blocks it answers 503 to what goes to the policy `kept`. */
export async function startKeptBlocker(
  port: number,
): Promise<{ readonly url: string; block(isBlocked: boolean): void; close(): Promise<void> }> {
  let isBlocked = false;
  const proxy = createServer((incoming, outgoing) => {
    if (isBlocked && /[?&](?:rp=|bucket=[^&]*%2F)kept/.test(incoming.url ?? '')) {
      incoming.resume().once('end', () => outgoing.writeHead(503).end());
      return;
    }
    const { url: path, method, headers } = incoming;
    incoming.pipe(
      request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    block: (wanted) => {
      isBlocked = wanted;
    },
    close: () =>
      new Promise((resolve) => {
        proxy.close(() => resolve());
        proxy.closeAllConnections();
      }),
  };
}
