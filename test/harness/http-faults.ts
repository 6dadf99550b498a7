import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** What a store behind HTTP answers to writes. Queries pass. */
export type HttpFault =
  | { readonly kind: 'pass' }
  /** This status instead of the store's answer, for this share of the writes; the store never hears of them. */
  | { readonly kind: 'status'; readonly status: number; readonly share: number; readonly retryAfterS?: number }
  /** 400 for every body in which this stands: a store refuses the same point each time. */
  | { readonly kind: 'poison'; readonly pattern: RegExp }
  /** 413 for bodies beyond this. */
  | { readonly kind: 'tooLarge'; readonly maxBytes: number }
  /** No answer at all; the store never hears of it. */
  | { readonly kind: 'silent' }
  /** The store does it, the answer is lost: the connection is cut. */
  | { readonly kind: 'forgetful'; readonly share: number }
  /** Answers come late. */
  | { readonly kind: 'late'; readonly ms: number };

/** Stands in front of an HTTP store and answers in its place. */
export interface HttpFaults {
  readonly port: number;
  set(fault: HttpFault): void;
  /** Writes that met a fault. */
  hits(): number;
  close(): Promise<void>;
}

export async function startHttpFaults(targetPort: number, random: () => number): Promise<HttpFaults> {
  const agent = new Agent({ keepAlive: true });
  let fault: HttpFault = { kind: 'pass' };
  let hits = 0;

  function forward(
    from: IncomingMessage,
    body: Buffer,
    answer: (status: number, headers: IncomingMessage['headers'], body: Buffer) => void,
  ): void {
    const { method, url: path, headers } = from;
    const out = request({ host: '127.0.0.1', port: targetPort, method, path, headers, agent }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.on('end', () => answer(reply.statusCode ?? 500, reply.headers, Buffer.concat(parts)));
      reply.on('error', () => from.socket.destroy());
    });
    // A store that is gone is gone for its client too.
    out.on('error', () => from.socket.destroy());
    out.end(body);
  }

  /** Whether this write meets the fault. */
  function isHit(now: HttpFault, body: Buffer): boolean {
    switch (now.kind) {
      case 'pass':
        return false;
      case 'status':
      case 'forgetful':
        return random() < now.share;
      case 'poison':
        return now.pattern.test(body.toString());
      case 'tooLarge':
        return body.length > now.maxBytes;
      default:
        return true;
    }
  }

  function handle(from: IncomingMessage, to: ServerResponse, body: Buffer): void {
    const isWrite = from.method === 'POST' && /^\/(api\/v2\/)?write\b/.test(from.url ?? '');
    const now = fault;
    const isFaulty = isWrite && isHit(now, body);
    if (isFaulty) hits++;
    if (isFaulty && now.kind === 'silent') return;
    if (isFaulty && (now.kind === 'status' || now.kind === 'poison' || now.kind === 'tooLarge')) {
      const status = now.kind === 'status' ? now.status : now.kind === 'poison' ? 400 : 413;
      const retryAfterS = now.kind === 'status' ? now.retryAfterS : undefined;
      to.writeHead(status, retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) });
      to.end(JSON.stringify({ error: `refused by the test with ${status}` }));
      return;
    }
    forward(from, body, (status, headers, answer) => {
      if (isFaulty && now.kind === 'forgetful') from.socket.destroy();
      else setTimeout(() => to.writeHead(status, headers).end(answer), isFaulty && now.kind === 'late' ? now.ms : 0);
    });
  }

  const server = createServer((from, to) => {
    const parts: Buffer[] = [];
    from.on('data', (part: Buffer) => parts.push(part));
    from.on('end', () => handle(from, to, Buffer.concat(parts)));
    from.on('error', () => undefined);
    to.on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    set: (next) => {
      fault = next;
    },
    hits: () => hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}
