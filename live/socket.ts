import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { type LiveFrame, liveEvents } from '@nhip/core/wire/live';
import { Server, type Socket } from 'socket.io';
import type { Authenticator, Identity } from './auth/authenticator.ts';
import { allows } from './auth/scope.ts';
import type { Session } from './auth/sessions.ts';
import type { Origins } from './http/origins.ts';
import type { ReadFacts } from './http/request-facts.ts';
import type { LiveHub } from './hub.ts';
import { createLaggard, type Laggard } from './laggard.ts';
import { createMetricsFeed } from './metrics-feed.ts';
import { dropAfterMs, type Outlet, recheckMs, slowSnapshotMs, type ViewerSlots } from './viewers.ts';

/**
 * Socket.io: one volatile broadcast per tick to everybody who keeps up. A viewer that does not (see laggard.ts) leaves the
 * room and gets whole snapshots, one at a time, so that nothing ever piles up for a stalled one.
 */
export interface SocketOutlet extends Outlet {
  endSession(session: Session): void;
  close(): void;
}

export interface SocketDeps {
  readonly hub: LiveHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly authenticator: Authenticator;
  readonly origins: Origins;
  readonly readFacts: ReadFacts;
  readonly slots: ViewerSlots;
}

interface Viewer {
  readonly socket: Socket;
  readonly identity: Identity;
  readonly laggard: Laggard;
  watch: string | null;
  /** Its watched machine has values that it has not got yet. */
  wantsMetrics: boolean;
  /** Events it sent since the last recheck. */
  events: number;
  snapshotMs: number;
  wantsSnapshot: boolean;
  checkedMs: number;
}

const fastRoom = 'fast';
const resyncMs = 500;
const maxIdLength = 200;
/** Events that a viewer may send between two rechecks; the protocol needs about one a second. */
const maxEvents = 200;

export function createSocketOutlet(server: HttpServer, deps: SocketDeps): SocketOutlet {
  const { hub, clock, authenticator, origins, slots } = deps;
  const viewers = new Map<string, Viewer>();
  const identities = new WeakMap<IncomingMessage, Identity>();
  const metricsOf = createMetricsFeed(hub);
  const counts = { framesSent: 0, snapshotsSent: 0, dropped: 0 };
  let seq = 0;

  const io = new Server(server, {
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: 64 * 1024,
    connectTimeout: 10_000,
    allowRequest: (request, answer) => {
      admit(request).then(
        (refusal) => answer(refusal ?? null, refusal === undefined),
        () => answer('try again later', false),
      );
    },
  });

  /** Who may connect at all: before this said yes there is no socket. Resolves with the reason of a refusal. */
  async function admit(request: IncomingMessage): Promise<string | undefined> {
    const { headers } = request;
    const foreign = origins.hostProblem(headers) ?? origins.originProblem(headers);
    if (foreign !== undefined) return foreign;
    if (slots.isFull) return 'too many viewers';
    const identity = await authenticator.identify(deps.readFacts(request), clock.now());
    if (identity === undefined) return 'log in first';
    if (!allows(identity.scope, 'read')) return 'a token of scope read is needed';
    identities.set(request, identity);
    return undefined;
  }

  io.on('connection', (socket) => {
    const identity = identities.get(socket.request);
    if (identity === undefined || slots.isFull) {
      socket.disconnect(true);
      return;
    }
    const nowMs = clock.now();
    const laggard = createLaggard(nowMs);
    const viewer: Viewer = {
      socket,
      identity,
      laggard,
      watch: null,
      wantsMetrics: false,
      events: 0,
      snapshotMs: 0,
      wantsSnapshot: false,
      checkedMs: nowMs,
    };
    slots.take();
    viewers.set(socket.id, viewer);
    socket.on('disconnect', () => {
      if (viewers.delete(socket.id)) slots.release();
    });
    listen(viewer);
    sendSnapshot(viewer, nowMs);
    void socket.join(fastRoom);
  });

  function listen(viewer: Viewer): void {
    const { socket } = viewer;
    socket.on(liveEvents.ack, (acked: unknown) => {
      if (typeof acked === 'number') viewer.laggard.acked(acked, seq, clock.now());
    });
    socket.on(liveEvents.resync, () => {
      viewer.wantsSnapshot = true;
      offerSnapshot(viewer, clock.now());
    });
    socket.on(liveEvents.watch, (machine: unknown) => {
      viewer.watch = typeof machine === 'string' && machine.length <= maxIdLength ? machine : null;
      viewer.wantsMetrics = viewer.watch !== null;
    });
    socket.onAny(() => {
      viewer.events += 1;
      if (viewer.events > maxEvents) socket.disconnect(true);
    });
  }

  /** At most one frame waits for a viewer: nothing is sent while its connection is full. */
  function sendMetrics(nowMs: number, writable: ReadonlySet<Viewer>): void {
    const watching = [...viewers.values()].filter((viewer) => viewer.watch !== null);
    const changed = metricsOf.changed(new Set(watching.map((viewer) => viewer.watch ?? '')), nowMs);
    for (const { machine } of changed) for (const viewer of watching) if (viewer.watch === machine) viewer.wantsMetrics = true;
    const due = new Map<string, string[]>();
    for (const viewer of watching) {
      if (viewer.watch === null || !viewer.wantsMetrics || !writable.has(viewer)) continue;
      viewer.wantsMetrics = false;
      due.set(viewer.watch, [...(due.get(viewer.watch) ?? []), viewer.socket.id]);
    }
    for (const [machine, ids] of due) {
      const frame = changed.find((each) => each.machine === machine) ?? metricsOf.whole(machine, nowMs);
      if (frame !== undefined) io.to(ids).emit(liveEvents.frame, frame);
    }
  }

  function sendSnapshot(viewer: Viewer, nowMs: number): void {
    const snapshot = hub.snapshot(nowMs);
    viewer.wantsSnapshot = false;
    viewer.snapshotMs = nowMs;
    counts.snapshotsSent += 1;
    viewer.laggard.snapshotSent();
    viewer.socket.timeout(dropAfterMs).emit(liveEvents.frame, snapshot, (error: unknown) => {
      // Clients may acknowledge the event itself or send `ack`.
      if (error === null || error === undefined) viewer.laggard.acked(snapshot.seq, seq, clock.now());
    });
  }

  /** A snapshot that was asked for, unless the one before is too recent or the connection is full: then a later tick tries again. */
  function offerSnapshot(viewer: Viewer, nowMs: number): void {
    if (Math.abs(nowMs - viewer.snapshotMs) >= resyncMs && viewer.socket.conn.transport.writable) sendSnapshot(viewer, nowMs);
  }

  function recheck(viewer: Viewer, nowMs: number): void {
    if (Math.abs(nowMs - viewer.checkedMs) < recheckMs) return;
    viewer.checkedMs = nowMs;
    viewer.events = 0;
    const close = () => void viewer.socket.disconnect(true);
    viewer.identity.isValid(nowMs).then((isValid) => (isValid ? undefined : close()), close);
  }

  function serve(viewer: Viewer, nowMs: number): void {
    recheck(viewer, nowMs);
    const { laggard, socket } = viewer;
    switch (laggard.judge(seq, nowMs)) {
      case 'drop':
        counts.dropped += 1;
        socket.disconnect(true);
        return;
      case 'slow':
        if (socket.rooms.has(fastRoom)) void socket.leave(fastRoom);
        if (!laggard.isAwaited && Math.abs(nowMs - viewer.snapshotMs) >= slowSnapshotMs) sendSnapshot(viewer, nowMs);
        return;
      default:
        if (!socket.rooms.has(fastRoom)) {
          void socket.join(fastRoom);
          viewer.wantsSnapshot = true;
        }
        if (viewer.wantsSnapshot) offerSnapshot(viewer, nowMs);
    }
  }

  return {
    tick(frame: LiveFrame | null, nowMs) {
      if (frame !== null && frame.k !== 'm') seq = frame.seq;
      for (const viewer of viewers.values()) serve(viewer, nowMs);
      // Asked before the broadcast: right after it no connection is writable, and a second volatile packet would be lost.
      const writable = new Set([...viewers.values()].filter((viewer) => viewer.watch !== null && viewer.socket.conn.transport.writable));
      if (frame !== null && viewers.size > 0) {
        counts.framesSent += io.sockets.adapter.rooms.get(fastRoom)?.size ?? 0;
        io.volatile.to(fastRoom).emit(liveEvents.frame, frame);
      }
      sendMetrics(nowMs, writable);
    },
    endSession(session) {
      for (const viewer of viewers.values()) if (viewer.identity.session === session) viewer.socket.disconnect(true);
    },
    close() {
      io.disconnectSockets(true);
      // Not io.close(): it would close the HTTP server, which is not ours.
      io.engine.close();
    },
    stats: () => ({ ...counts, viewers: viewers.size, slow: [...viewers.values()].filter((viewer) => viewer.laggard.isSlow).length }),
  };
}
