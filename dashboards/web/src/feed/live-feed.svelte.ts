import { type LiveFrame, liveEvents, type MetricsFrame, type PlantMachineView, type PlantView } from '@nhip/core/wire/live';
import { io, type Socket } from 'socket.io-client';
import { type LinkStatus, linkStatus, recycleAfterMs, staleAfterMs } from './link-status.ts';
import { Machine } from './machine.svelte.ts';
import { applyFrame, emptyPlant, type PlantState } from './plant-state.ts';
import { createServerTime } from './server-time.ts';

const figuresEveryMs = 500;
const resyncSpreadMs = 500;
const resyncAgainMs = 3000;
const ackEveryMs = 900;
const askSessionMs = 5000;

type MetricsListener = (frame: MetricsFrame) => void;

/**
 * The one connection to the live service. It keeps the plant, its machines, the server's clock and how fresh all of it is.
 * After any interruption it ends up equal to the server, without a reload.
 */
class LiveFeed {
  status: LinkStatus = $state('connecting');
  plant: PlantView | null = $state.raw(null);
  /** All machines; a new list when one comes or goes. */
  machines: readonly Machine[] = $state.raw([]);
  /** Server time, ms; ticks once a second. */
  now = $state(Date.now());
  /** Server time of the newest frame. */
  lastFrameAt: number | null = $state(null);
  /** The server may have refused this session. */
  onRefused: (() => void) | null = null;
  /** The server process is another one than before. */
  onServerChanged: (() => void) | null = null;

  /** The time that the values on the screen belong to: ages and lengths stop growing when the feed stops. */
  readonly asOf = $derived(this.status === 'live' ? this.now : (this.lastFrameAt ?? this.now));
  readonly isFrozen = $derived(this.status !== 'live' && this.lastFrameAt !== null);

  readonly #byId = new Map<string, Machine>();
  readonly #dirty = new Set<string>();
  readonly #serverTime = createServerTime();
  readonly #metricsListeners = new Map<string, Set<MetricsListener>>();
  #state: PlantState = emptyPlant;
  #socket: Socket | null = null;
  #arrivedAt: number | null = null;
  #resyncAt = Number.NEGATIVE_INFINITY;
  #recycledAt = 0;
  #acked = -1;
  #ackedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** Opens the connection; calling it again does nothing. */
  start(): void {
    if (this.#socket !== null) return;
    const socket = io({
      path: '/socket.io',
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 5000,
      randomizationFactor: 0.5,
    });
    this.#socket = socket;
    socket.on(liveEvents.frame, (frame: LiveFrame, done?: () => void) => {
      this.#receive(frame);
      done?.();
    });
    socket.on('connect', () => this.#connected());
    socket.on('disconnect', () => this.#revive());
    socket.on('connect_error', () => this.#revive(true));
    addEventListener('online', () => socket.connect());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#everySecond();
    });
    setInterval(() => this.#flushFigures(), figuresEveryMs);
    setInterval(() => this.#everySecond(), 1000);
  }

  /** A new session has other rights: connect again, with its cookie. */
  restart(): void {
    if (this.#socket === null) this.start();
    else this.#socket.disconnect().connect();
  }

  machine(id: string): Machine | undefined {
    return this.machines.find((machine) => machine.id === id);
  }

  /** Metric frames of one machine, until the returned function is called. */
  watch(id: string, listener: MetricsListener): () => void {
    const listeners = this.#metricsListeners.get(id) ?? new Set();
    this.#metricsListeners.set(id, listeners.add(listener));
    this.#sendWatch();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#metricsListeners.delete(id);
      this.#sendWatch();
    };
  }

  #receive(frame: LiveFrame): void {
    const localMs = Date.now();
    this.#serverTime.observe(frame.t, localMs);
    // The clock of this device may be wrong: what is asked for on the first frame needs the server's time already.
    const now = this.#serverTime.at(localMs);
    if (Math.abs(now - this.now) > 1500) this.now = now;
    this.#arrivedAt = performance.now();
    this.lastFrameAt = Math.max(frame.t, this.lastFrameAt ?? frame.t);
    if (frame.k === 'm') {
      for (const listener of this.#metricsListeners.get(frame.machine) ?? []) listener(frame);
      return;
    }
    const before = this.#state.epoch;
    const { state, outcome, changed } = applyFrame(this.#state, frame);
    this.#state = state;
    if (outcome === 'resync') this.#resync();
    if (outcome === 'applied') this.#show(changed);
    if (before !== null && state.epoch !== before) this.onServerChanged?.();
    this.#acknowledge();
    this.#updateStatus();
  }

  /** At most once a second, and when frames come: timers of a hidden page are slowed down, messages are not. */
  #acknowledge(): void {
    const now = performance.now();
    if (this.#state.epoch === null || this.#state.seq === this.#acked || now - this.#ackedAt < ackEveryMs) return;
    this.#acked = this.#state.seq;
    this.#ackedAt = now;
    this.#socket?.emit(liveEvents.ack, this.#state.seq);
  }

  #show(changed: 'all' | readonly string[]): void {
    if (changed === 'all') this.plant = this.#state.plant;
    let membersChanged = false;
    const ids = changed === 'all' ? new Set([...this.#state.machines.keys(), ...this.#byId.keys()]) : changed;
    for (const id of ids) {
      const view = this.#state.machines.get(id);
      const machine = this.#byId.get(id);
      if (view !== undefined && machine !== undefined) {
        machine.showWords(view);
        if (changed === 'all') machine.plan = this.#planOf(id);
        this.#dirty.add(id);
      } else {
        membersChanged = true;
        if (view === undefined) this.#byId.delete(id);
        else this.#byId.set(id, new Machine(view, this.#planOf(id)));
      }
    }
    if (membersChanged) this.machines = [...this.#byId.values()];
    if (changed === 'all') this.#flushFigures();
  }

  #planOf(id: string): PlantMachineView | null {
    return this.#state.plant?.machines?.[id] ?? null;
  }

  #flushFigures(): void {
    for (const id of this.#dirty) {
      const view = this.#state.machines.get(id);
      if (view !== undefined) this.#byId.get(id)?.showFigures(view);
    }
    this.#dirty.clear();
  }

  #everySecond(): void {
    this.now = this.#serverTime.at(Date.now());
    this.#updateStatus();
    const socket = this.#socket;
    if (socket === null) return;
    const silenceMs = this.#silenceMs();
    const shift = this.plant?.shift;
    if (silenceMs !== null && silenceMs > staleAfterMs) this.#resync();
    else if (shift && this.now > shift.to) this.#resync(30_000);
    if (socket.connected && silenceMs !== null && silenceMs > recycleAfterMs && performance.now() - this.#recycledAt > recycleAfterMs) {
      this.#recycledAt = performance.now();
      socket.disconnect().connect();
    }
  }

  /** Asks for a snapshot, spread over half a second so that a hundred screens do not ask at the same instant. */
  #resync(notWithinMs = resyncAgainMs): void {
    const now = performance.now();
    if (this.#socket?.connected !== true || now - this.#resyncAt < notWithinMs) return;
    this.#resyncAt = now;
    setTimeout(() => this.#socket?.emit(liveEvents.resync), Math.random() * resyncSpreadMs);
  }

  #connected(): void {
    this.#acked = -1;
    this.#resyncAt = performance.now();
    this.#sendWatch();
    this.#updateStatus();
  }

  /** Socket.io gives up when the server closes or refuses a connection; a wall screen must not. */
  #revive(isRefusal = false): void {
    this.#updateStatus();
    const socket = this.#socket;
    if (socket === null) return;
    // A refusal and an unreachable server look alike here: ask whether this session may still read.
    if ((isRefusal || !socket.active) && performance.now() - this.#askedAt > askSessionMs) {
      this.#askedAt = performance.now();
      this.onRefused?.();
    }
    if (socket.active) return;
    setTimeout(() => socket.connect(), 1000 + Math.random() * 2000);
  }

  #sendWatch(): void {
    if (this.#socket?.connected !== true) return;
    const [id] = [...this.#metricsListeners.keys()].slice(-1);
    this.#socket.emit(liveEvents.watch, id ?? null);
  }

  #silenceMs(): number | null {
    return this.#arrivedAt === null ? null : performance.now() - this.#arrivedAt;
  }

  #updateStatus(): void {
    const connected = this.#socket?.connected ?? false;
    this.status = linkStatus({ browserOnline: navigator.onLine, connected, silenceMs: this.#silenceMs() });
  }
}

export const feed = new LiveFeed();
