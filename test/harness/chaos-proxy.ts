import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** What a link does to what it carries. `up` is from the one who connected. */
export type LinkFault =
  | { readonly kind: 'pass' }
  /** Nobody listens; what was open is reset. */
  | { readonly kind: 'refuse' }
  /** Bytes vanish, nothing is closed. A connection that lost bytes stays silent for ever, as behind a router that forgot it. */
  | { readonly kind: 'blackhole'; readonly way: 'both' | 'up' | 'down' }
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: 'narrow'; readonly bitsPerS: number }
  /** Every write is this small. */
  | { readonly kind: 'slices'; readonly bytes: number }
  /** Each connection is reset, mid packet as a rule, after about this many bytes. */
  | { readonly kind: 'cut'; readonly everyBytes: number };

type Way = 'up' | 'down';

/** Stands between two programs on TCP and breaks the link on demand. */
export interface ChaosProxy {
  readonly host: string;
  readonly port: number;
  /** Holds for open connections and new ones, until the next call. Resolves when it holds. */
  set(fault: LinkFault): Promise<void>;
  /** Resets all connections, once. */
  reset(): void;
  /** Connections made so far. */
  connections(): number;
  close(): Promise<void>;
}

const highBytes = 65_536;
const lowBytes = 16_384;
/** At 64 kbit/s an eighth of a second: the rate is kept, not the latency of a large packet. */
const narrowPieceBytes = 1024;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly lost: Set<Way>;
  /** Bytes until the cut; set when the fault begins. */
  budget: number;
}

/** `random` in [0, 1) makes jitter and cuts replayable. */
export async function startChaosProxy(
  target: { readonly port: number; readonly host?: string },
  options: { readonly host?: string; readonly random?: () => number } = {},
): Promise<ChaosProxy> {
  const { host = '127.0.0.1', random = Math.random } = options;
  const pairs = new Set<Pair>();
  let fault: LinkFault = { kind: 'pass' };
  let made = 0;

  const cutAfter = (everyBytes: number): number => Math.max(1, Math.round(everyBytes * (0.5 + random())));

  function touch(pair: Pair): void {
    if (fault.kind === 'blackhole') for (const way of fault.way === 'both' ? (['up', 'down'] as const) : [fault.way]) pair.lost.add(way);
    if (fault.kind === 'cut') pair.budget = cutAfter(fault.everyBytes);
  }

  function breakPair(pair: Pair): void {
    pairs.delete(pair);
    for (const socket of [pair.near, pair.far]) {
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Writes one chunk as the fault of the moment wants it. */
  async function forward(pair: Pair, way: Way, to: Socket, chunk: Buffer, arrivedMs: number): Promise<void> {
    if (fault.kind === 'delay') {
      const dueMs = arrivedMs + fault.ms + (random() * 2 - 1) * fault.jitterMs;
      await sleep(Math.max(0, dueMs - performance.now()));
    }
    let left = chunk;
    while (left.length > 0 && !to.destroyed) {
      if (pair.lost.has(way)) return;
      if (fault.kind === 'slices') {
        to.write(left.subarray(0, fault.bytes));
        left = left.subarray(fault.bytes);
        await turn();
      } else if (fault.kind === 'narrow') {
        const piece = left.subarray(0, narrowPieceBytes);
        to.write(piece);
        left = left.subarray(piece.length);
        await sleep((piece.length * 8000) / fault.bitsPerS);
      } else if (fault.kind === 'cut' && left.length >= pair.budget) {
        const part = left.subarray(0, pair.budget);
        to.write(part, () => breakPair(pair));
        return;
      } else {
        if (fault.kind === 'cut') pair.budget -= left.length;
        to.write(left);
        return;
      }
    }
  }

  function carry(pair: Pair, way: Way): void {
    const [from, to] = way === 'up' ? [pair.near, pair.far] : [pair.far, pair.near];
    const queue: { readonly chunk: Buffer; readonly arrivedMs: number }[] = [];
    let queuedBytes = 0;
    let isEnded = false;
    let isPumping = false;

    const pump = async (): Promise<void> => {
      if (isPumping) return;
      isPumping = true;
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await forward(pair, way, to, next.chunk, next.arrivedMs);
        queuedBytes -= next.chunk.length;
        if (queuedBytes < lowBytes) from.resume();
      }
      isPumping = false;
      // Who lost bytes on this way does not hear of the end either.
      if (isEnded && !pair.lost.has(way)) to.end();
    };
    from.on('data', (chunk: Buffer) => {
      if (pair.lost.has(way)) return;
      queue.push({ chunk, arrivedMs: performance.now() });
      queuedBytes += chunk.length;
      if (queuedBytes > highBytes) from.pause();
      void pump();
    });
    const end = (): void => {
      isEnded = true;
      void pump();
    };
    from.on('end', end);
    from.on('close', () => {
      end();
      if (pair.near.destroyed && pair.far.destroyed) pairs.delete(pair);
    });
  }

  const server: Server = createServer({ noDelay: true }, (near) => {
    made++;
    // While everything vanishes nobody hears of a new connection either.
    const far = connect({ host: target.host ?? '127.0.0.1', port: target.port, noDelay: true });
    const pair: Pair = { near, far, lost: new Set(), budget: Number.POSITIVE_INFINITY };
    pairs.add(pair);
    touch(pair);
    near.on('error', () => undefined);
    far.on('error', () => {
      if (!pair.lost.has('down')) near.resetAndDestroy();
    });
    carry(pair, 'up');
    carry(pair, 'down');
  });

  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  const reset = (): void => {
    for (const pair of [...pairs]) breakPair(pair);
  };
  // It listens there again after `refuse`: none that the system gives to connections meanwhile.
  const port = await freePort();
  await listen(port);

  return {
    host,
    port,
    async set(next) {
      fault = next;
      for (const pair of pairs) touch(pair);
      if (next.kind === 'refuse') {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        reset();
        await closed;
      } else if (!server.listening) await listen(port);
    },
    reset,
    connections: () => made,
    async close() {
      reset();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
