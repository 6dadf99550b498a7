/**
 * TCP between the machines, as programs notice it: bytes arrive late but in order, or the connection ends, and each side learns of
 * that at its own time or only by its keep alive. Nothing that was sent is known to have arrived.
 */
import type { Clock, Random, Timer } from '@nhip/core/process/env';

/** One side of a connection. */
export interface WireEnd<Out, In> {
  send(message: Out): void;
  /** Ends the connection after what was sent; the other side is told. */
  close(): void;
  /** The machine lost its power: the other side is not told. */
  vanish(): void;
  readonly isOpen: boolean;
  onMessage: (message: In) => void;
  /** Called once when the connection ends, not for one's own `close`. */
  onClosed: (reason: string) => void;
}

export interface Wire<Up, Down> {
  readonly client: WireEnd<Up, Down>;
  readonly server: WireEnd<Down, Up>;
}

/** Who notices at once that a connection broke; the other side finds out by its keep alive. */
export type CutKind = 'bothNotice' | 'clientNotices' | 'serverNotices' | 'nobodyNotices';

/** The way of one machine to the server. */
export interface Path {
  latencyMs: number;
  jitterMs: number;
  /** Begins a connection; undefined when nobody listens. */
  connect<Up, Down>(): Wire<Up, Down>;
  /** Packets wait until it ends; who hears nothing for longer than the keep alive gives up. */
  silence(durationMs: number): void;
  /** Ends the silence. */
  heal(): void;
  /** Breaks every connection; what was under way arrives in part. */
  cut(how: CutKind): void;
  /** The next message to the client that `isLost` picks is lost, and the connection with it. */
  loseNext(isLost: (message: unknown) => boolean): void;
}

interface Cuttable {
  cut(how: CutKind): void;
  silenced(): void;
  isOver(): boolean;
}

/** Messages of one direction: in order, each late by the path's latency. */
class Direction<T> {
  readonly queue: { readonly message: T; readonly dueMs: number }[] = [];
  deliver: (message: T) => void = () => undefined;
  isOpen = true;
  hasDelivered = false;
  private timer: Timer | undefined;
  private readonly clock: Clock;
  private readonly silentUntilMs: () => number;
  private readonly delayMs: () => number;

  constructor(clock: Clock, silentUntilMs: () => number, delayMs: () => number) {
    this.clock = clock;
    this.silentUntilMs = silentUntilMs;
    this.delayMs = delayMs;
  }

  push(message: T): void {
    if (!this.isOpen) return;
    const dueMs = Math.max(this.queue.at(-1)?.dueMs ?? 0, this.clock.monotonic() + this.delayMs());
    this.queue.push({ message, dueMs });
    this.arm();
  }

  /** The first `count` of what is under way arrive now, the rest never. */
  end(count: number): void {
    for (const { message } of this.queue.splice(0, count)) this.deliver(message);
    this.isOpen = false;
    this.queue.length = 0;
    this.timer?.cancel();
  }

  private arm(): void {
    const [first] = this.queue;
    if (this.timer !== undefined || first === undefined) return;
    const dueMs = Math.max(first.dueMs, this.silentUntilMs());
    this.timer = this.clock.after(dueMs - this.clock.monotonic(), () => {
      this.timer = undefined;
      const now = this.clock.monotonic();
      while (now >= this.silentUntilMs() && (this.queue[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= now) {
        const next = this.queue.shift();
        if (next === undefined) continue;
        this.hasDelivered = true;
        this.deliver(next.message);
      }
      this.arm();
    });
  }
}

const endOfStream = Symbol('end of stream');

export function createPath(clock: Clock, random: Random, keepaliveMs: number): Path {
  const wires = new Set<Cuttable>();
  let silentUntilMs = 0;
  let picksLost: ((message: unknown) => boolean) | undefined;

  const path: Path = {
    latencyMs: 1,
    jitterMs: 2,
    silence(durationMs) {
      silentUntilMs = Math.max(silentUntilMs, clock.monotonic() + durationMs);
      for (const wire of wires) wire.silenced();
    },
    heal() {
      silentUntilMs = Math.min(silentUntilMs, clock.monotonic());
    },
    cut(how) {
      for (const wire of [...wires]) wire.cut(how);
    },
    loseNext(isLost) {
      picksLost = isLost;
    },
    connect<Up, Down>() {
      const wire = createWire<Up, Down>();
      wires.add(wire.cuttable);
      return wire;
    },
  };

  function createWire<Up, Down>(): Wire<Up, Down> & { readonly cuttable: Cuttable } {
    const delayMs = (): number => path.latencyMs + path.jitterMs * random.next();
    const up = new Direction<Up | typeof endOfStream>(clock, () => silentUntilMs, delayMs);
    const down = new Direction<Down | typeof endOfStream>(clock, () => silentUntilMs, delayMs);

    const makeEnd = <Out, In>(out: Direction<Out | typeof endOfStream>, into: Direction<In | typeof endOfStream>) => {
      let isOpen = true;
      const over = (): void => {
        isOpen = false;
        if (cuttable.isOver()) wires.delete(cuttable);
      };
      const end = {
        onMessage: (_: In): void => undefined,
        onClosed: (_: string): void => undefined,
        get isOpen() {
          return isOpen;
        },
        send(message: Out) {
          if (!isOpen) return;
          if (out === (down as unknown) && picksLost?.(message) === true) {
            picksLost = undefined;
            cuttable.cut('bothNotice');
            return;
          }
          out.push(message);
        },
        close() {
          if (!isOpen) return;
          out.push(endOfStream);
          over();
          if (!up.hasDelivered && end === (client as unknown) && clock.monotonic() < silentUntilMs) neverWas();
        },
        vanish() {
          if (!isOpen) return;
          over();
          out.isOpen = false;
          peerNotices(out, 'keep alive timeout');
        },
        /** Ends it without a word. */
        forget() {
          if (isOpen) over();
        },
        /** The program hears of the end now; its machine tells the other side, if anything can still pass. */
        hear(reason: string) {
          if (!isOpen) return;
          out.push(endOfStream);
          over();
          end.onClosed(reason);
        },
      };
      into.deliver = (message) => {
        if (message === endOfStream) end.hear('connection closed');
        else if (isOpen) end.onMessage(message as In);
      };
      return end;
    };

    /** The far end of `direction` finds out by its keep alive. */
    const peerNotices = (direction: unknown, reason: string): void => {
      const peer = direction === up ? server : client;
      clock.after(keepaliveMs * (direction === up ? 1.5 : 1 + random.next() / 2), () => peer.hear(reason));
    };

    /** Not even the first packet arrived: the server never knew. */
    const neverWas = (): void => {
      up.end(0);
      down.end(0);
      server.forget();
    };

    const cuttable: Cuttable = {
      isOver: () => !client.isOpen && !server.isOpen,
      cut(how) {
        up.end(Math.floor(random.next() * (up.queue.length + 1)));
        down.end(Math.floor(random.next() * (down.queue.length + 1)));
        if (how === 'bothNotice' || how === 'clientNotices') client.hear('connection reset');
        else peerNotices(down, 'keep alive timeout');
        if (how === 'bothNotice' || how === 'serverNotices') server.hear('connection reset');
        else peerNotices(up, 'keep alive timeout');
      },
      silenced() {
        const notice = (waitMs: number, end: { hear(reason: string): void }): void => {
          const giveUpAtMs = clock.monotonic() + waitMs;
          if (silentUntilMs > giveUpAtMs) {
            clock.after(waitMs, () => {
              if (clock.monotonic() < silentUntilMs) end.hear('keep alive timeout');
            });
          }
        };
        notice(keepaliveMs * (1 + random.next() / 2), client);
        notice(keepaliveMs * 1.5, server);
      },
    };
    const client = makeEnd<Up, Down>(up, down);
    const server = makeEnd<Down, Up>(down, up);
    return { client, server, cuttable };
  }

  return path;
}
