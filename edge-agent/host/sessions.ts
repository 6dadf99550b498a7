import type { Clock } from '@nhip/core/process/env';
import { ConnectionLostError, type Driver, type Reading } from '../driver.ts';
import { within } from './deadline.ts';
import type { DeviceTracker } from './device-tracker.ts';
import { advance, nextSlot, spreadSlots } from './poll-schedule.ts';
import type { Turns } from './turns.ts';

/** What one connection does between connect and loss: poll its devices, or listen to them. Both end by throwing. */

export interface Session {
  readonly driver: Driver;
  readonly devices: readonly DeviceTracker[];
  readonly clock: Clock;
  /** Calls to the driver are never concurrent. */
  readonly turns: Turns;
  /** Aborts when the host stops or the connection is lost. */
  readonly signal: AbortSignal;
  readonly readTimeoutMs: number;
  readonly subscribeTimeoutMs: number;
  readonly counters: SessionCounters;
  /** Called with what a device delivered, before it is tracked. */
  answered(): void;
}

export interface SessionCounters {
  polls: number;
  failures: number;
  overruns: number;
  samples: number;
}

/** Failed probes of dead devices take at most a tenth of the connection's time: the living ones keep their rate. */
const probePause = 9;
const beatMs = 1_000;

export async function pollDevices(session: Session, read: NonNullable<Driver['read']>): Promise<never> {
  const { devices, clock, signal, counters } = session;
  const slots = spreadSlots(
    devices.map((device) => device.config.intervalMs),
    clock.monotonic(),
  ).map((slot, i) => ({ ...slot, device: devices[i] as DeviceTracker }));
  const untried = new Set(devices);
  let nextProbeMs = Number.NEGATIVE_INFINITY;
  for (const device of devices) device.breaker.reconnected();
  const skip = (slot: (typeof slots)[number], nowMs: number): void => {
    const skipped = advance(slot, nowMs);
    slot.device.overran(skipped);
    counters.overruns += skipped;
  };

  for (;;) {
    const slot = nextSlot(slots);
    if (slot === undefined) throw new Error('a connection without devices cannot be polled');
    const { device } = slot;
    const waitMs = slot.dueMs - clock.monotonic();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    signal.throwIfAborted();
    const startMs = clock.monotonic();
    if (device.breaker.isOpen && startMs < nextProbeMs && devices.some((other) => !other.breaker.isOpen)) {
      slot.dueMs = nextProbeMs;
      continue;
    }
    counters.polls++;
    untried.delete(device);
    const outcome = await readOnce(session, read, device.config.id);
    const nowMs = clock.monotonic();
    if (!(outcome instanceof Error)) {
      session.answered();
      counters.samples += device.answered(outcome.readings);
      device.tookMs(nowMs - outcome.startMs);
      skip(slot, nowMs);
      continue;
    }
    counters.failures++;
    device.missed(outcome.message);
    const probeInMs = device.breaker.failed();
    if (probeInMs === undefined) {
      skip(slot, nowMs);
      continue;
    }
    device.unreachable(outcome.message);
    slot.dueMs = nowMs + probeInMs;
    nextProbeMs = nowMs + probePause * (nowMs - startMs);
    // Nobody answers: the connection itself may be dead without knowing it (half open, a gateway that hangs).
    if (untried.size === 0 && devices.every((each) => each.breaker.isOpen)) {
      throw new ConnectionLostError(`no device of the connection answers; the last one: ${outcome.message}`, outcome);
    }
  }
}

interface Answer {
  readonly readings: readonly Reading[];
  /** Monotonic; a write may have gone before. */
  readonly startMs: number;
}

/** The readings, or why the device did not answer. Throws when the connection cannot go on. */
async function readOnce(session: Session, read: NonNullable<Driver['read']>, deviceId: string): Promise<Answer | Error> {
  const { clock, signal, readTimeoutMs } = session;
  try {
    return await session.turns.take(async () => {
      signal.throwIfAborted();
      const startMs = clock.monotonic();
      const call = read.call(session.driver, deviceId, signal);
      return { startMs, readings: await within(clock, readTimeoutMs, `reading ${deviceId}`, call, signal) };
    });
  } catch (error) {
    if (signal.aborted || error instanceof ConnectionLostError) throw error;
    return error instanceof Error ? error : new Error(String(error));
  }
}

export async function followDevices(
  session: Session,
  subscribe: NonNullable<Driver['subscribe']>,
  lost: (error: Error) => void,
): Promise<never> {
  const { clock, signal, counters, devices } = session;
  const byId = new Map(devices.map((device) => [device.config.id, device]));
  // Only what this connection has confirmed is repeated: a device that is still silent may have changed meanwhile.
  const heard = new Set<DeviceTracker>();
  const emit = (deviceId: string, readings: readonly Reading[]): void => {
    const device = byId.get(deviceId);
    if (signal.aborted || device === undefined) return;
    heard.add(device);
    session.answered();
    counters.samples += device.answered(readings);
  };
  await session.turns.take(() =>
    within(clock, session.subscribeTimeoutMs, 'subscribing', subscribe.call(session.driver, emit, lost, signal), signal),
  );
  for (let isFirst = true; ; isFirst = false) {
    await clock.sleep(beatMs, signal);
    for (const device of isFirst ? devices : []) if (!heard.has(device)) device.missed('it has said nothing since it was subscribed to');
    for (const device of heard) counters.samples += device.beat();
  }
}
