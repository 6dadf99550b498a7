import type { Clock, Timer } from '@nhip/core/process/env';
import { reasonOf } from '@nhip/core/process/errors';
import type { ConnectionConfig, DeviceSink, Driver, DriverDeps, DriverPlugin, Reading, TagWrite } from '../driver.ts';
import type { RuleMemory } from '../rules/rule-memory.ts';
import { backOffMs } from './back-off.ts';
import { within } from './deadline.ts';
import { createDeviceTracker, type DeviceState, type DeviceTracker } from './device-tracker.ts';
import { followDevices, pollDevices, type Session } from './sessions.ts';
import { createTurns } from './turns.ts';
import { createWriteValue, type WritableConnection } from './write-value.ts';

/** Keeps one connection alive and its devices reported, for as long as it runs. */
export interface ConnectionHost {
  /** Begins to connect; returns at once. */
  start(): void;
  /** Closes the connection. Devices are not told offline: the agent ends its session itself. Idempotent. */
  stop(): Promise<void>;
  /**
   * Writes one value to a machine, between other calls to the driver, and resolves with what the device said afterwards; that is
   * also reported like any reading. Refuses metrics that are not writable and devices that are offline; the errors are those of
   * `createWriteValue`. Whether commands are allowed at all is for the caller to know.
   */
  write(deviceId: string, write: TagWrite, signal: AbortSignal): Promise<Reading>;
  /** Why the configuration does not let the value be written, whatever the machine says: one sentence; undefined when it does. */
  writeProblem(deviceId: string, write: TagWrite): string | undefined;
  health(): ConnectionHealth;
}

export interface ConnectionHealth {
  readonly id: string;
  readonly driver: string;
  /** `connected` means that a device answered on this connection. */
  readonly state: 'stopped' | 'connecting' | 'connected' | 'waiting';
  /** Why it is not connected; null when it is, or when nothing failed yet. */
  readonly reason: string | null;
  readonly devices: readonly DeviceHealth[];
  /** Polled connections: what it takes to read each device once. */
  readonly cycleMs: CycleTime | null;
  /** Since the start of the host. */
  readonly counters: ConnectionCounters;
}

export interface DeviceHealth {
  readonly id: string;
  readonly state: DeviceState;
  /** ms UTC */
  readonly lastAnswerMs: number | null;
  /** Failed reads in a row. */
  readonly failures: number;
  /** Reads that were skipped because an earlier one of the connection took too long. */
  readonly overruns: number;
  /** How long a good read takes; null before the first one. */
  readonly cycleMs: CycleTime | null;
}

/** ms */
export interface CycleTime {
  readonly last: number;
  /** Since the start of the host. */
  readonly max: number;
}

export interface ConnectionCounters {
  /** Reads of a device. */
  readonly polls: number;
  /** Reads that a device did not answer. */
  readonly failures: number;
  /** Reads that were skipped because an earlier one took too long. */
  readonly overruns: number;
  /** Connections that were made after the first one. */
  readonly reconnects: number;
  /** Readings that were reported. */
  readonly samples: number;
}

export interface HostTiming {
  /** To which a driver may add what its configuration lets it wait. */
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly subscribeTimeoutMs: number;
  readonly writeTimeoutMs?: number | undefined;
  /** A connection that comes back within this time does not put its devices offline. */
  readonly graceMs: number;
}

const defaultTiming: HostTiming = {
  connectTimeoutMs: 15_000,
  readTimeoutMs: 60_000,
  subscribeTimeoutMs: 60_000,
  graceMs: 5_000,
};
export interface HostDeps extends DriverDeps {
  /** Keeps the sums of derived tags over a restart; without it they begin at 0. */
  readonly ruleMemory?: RuleMemory | undefined;
}

const closeTimeoutMs = 5_000;
const settleMs = 1_000;
const defaultWriteTimeoutMs = 30_000;

/**
 * The host of one connection. Connects, polls or follows, and after any loss makes a new driver with back-off. `sink` is called from
 * here only and must not throw.
 */
export function createConnectionHost<C extends ConnectionConfig>(
  plugin: DriverPlugin<C>,
  config: C,
  sink: DeviceSink,
  deps: HostDeps,
  timing: HostTiming = defaultTiming,
): ConnectionHost {
  const { clock, random } = deps;
  const log = deps.log.child({ connection: config.id, driver: plugin.name });
  const driverDeps: DriverDeps = { clock, random, log, stateDir: deps.stateDir };
  const devices: readonly DeviceTracker[] = config.devices.map((device) =>
    createDeviceTracker(device, plugin.metrics(device), sink, { clock, log, random: () => random.next(), ruleMemory: deps.ruleMemory }),
  );
  const counters = { polls: 0, failures: 0, overruns: 0, samples: 0 };
  let connections = 0;
  let state: ConnectionHealth['state'] = 'stopped';
  let reason: string | null = null;
  let told: 'up' | 'down' | undefined;
  let grace: Timer | undefined;
  let up: WritableConnection | undefined;
  let stopping: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();

  /**
   * Devices that have not answered again when the grace time is over go offline. One whose turn to be asked has not come, because others
   * before it are slow, keeps waiting for that as long as the connection stands.
   */
  const startGrace = (): void => {
    if (grace !== undefined) return;
    const before = devices.map((device) => device.lastAnswerMs);
    grace = clock.after(timing.graceMs, () => {
      grace = undefined;
      devices.forEach((device, i) => {
        if (device.lastAnswerMs !== before[i]) return;
        if (up === undefined) device.unreachable(reason ?? 'the connection is not up yet');
        else device.giveUp(reason ?? 'the device has not answered yet');
      });
    });
  };

  const isUp = (): boolean => state === 'connected';

  const onAnswer = (): void => {
    if (isUp()) return;
    state = 'connected';
    reason = null;
    if (told !== 'up') log.info('The connection is up.');
    told = 'up';
  };

  const onLoss = (why: string): void => {
    state = 'waiting';
    reason = why;
    if (told !== 'down') log.warn({ reason: why }, 'The connection is down; trying again.');
    told = 'down';
    startGrace();
  };

  /** One driver's life. Ends by throwing. */
  const live = async (stopping: AbortSignal): Promise<never> => {
    const driver: Driver = (await plugin.load()).create(config, driverDeps);
    // One signal for "stopped" and "lost": racing a promise that lives as long as the connection would leak a listener per call.
    const over = new AbortController();
    let settle: Timer | undefined;
    const stop = (): void => over.abort(stopping.reason);
    const lost = (error: Error): void => over.abort(error);
    stopping.addEventListener('abort', stop, { once: true });
    try {
      stopping.throwIfAborted();
      const connectMs = timing.connectTimeoutMs + (driver.connectExtraMs ?? 0);
      await within(clock, connectMs, 'connecting', driver.connect(over.signal), over.signal);
      connections++;
      for (const device of devices) device.connected();
      const turns = createTurns();
      const session: Session = { ...timing, driver, devices, clock, signal: over.signal, counters, turns, answered: onAnswer };
      up = { driver, turns, signal: over.signal, lost };
      settle = settleEvery(
        clock,
        devices.filter((device) => device.holds),
        counters,
      );
      if (driver.subscribe !== undefined) return await followDevices(session, driver.subscribe, lost);
      if (driver.read !== undefined) return await pollDevices(session, driver.read);
      throw new Error(`driver ${plugin.name} can neither read nor subscribe`);
    } finally {
      up = undefined;
      settle?.cancel();
      stopping.removeEventListener('abort', stop);
      over.abort(new Error('the connection is over'));
      await within(clock, closeTimeoutMs, 'closing', driver.close()).catch((error) =>
        log.warn({ reason: reasonOf(error) }, 'The connection could not be closed cleanly.'),
      );
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    for (let attempt = 0; !signal.aborted; attempt++) {
      state = 'connecting';
      const error = await live(signal).catch((cause: unknown) => cause);
      if (signal.aborted) break;
      if (isUp()) attempt = 0;
      onLoss(reasonOf(error));
      await clock.sleep(backOffMs(attempt, random.next()), signal).catch(() => {});
    }
    state = 'stopped';
  };

  const writer = createWriteValue({
    clock,
    log,
    writeTimeoutMs: timing.writeTimeoutMs ?? defaultWriteTimeoutMs,
    sink,
    driverName: plugin.name,
    devices: new Map(
      config.devices.map((device, i) => [
        device.id,
        {
          tracker: devices[i] as DeviceTracker,
          metrics: plugin.metrics(device),
          problem: (wanted) => plugin.writeProblem?.(device, wanted),
        },
      ]),
    ),
    connection: () => up,
    onReading: (tracker, reading) => {
      counters.samples += tracker.answered([reading]);
    },
  });

  return {
    write: writer.write,
    writeProblem: writer.problem,
    start: () => {
      if (stopping !== undefined) return;
      stopping = new AbortController();
      startGrace();
      running = run(stopping.signal);
    },
    stop: async () => {
      stopping?.abort(new Error('the agent stops'));
      grace?.cancel();
      await running;
      grace?.cancel();
      for (const device of devices) device.close();
    },
    health: () => ({
      id: config.id,
      driver: plugin.name,
      state,
      reason,
      devices: devices.map((device) => ({
        id: device.config.id,
        state: device.state,
        lastAnswerMs: device.lastAnswerMs,
        failures: device.breaker.failures,
        overruns: device.overruns,
        cycleMs: device.cycleMs,
      })),
      cycleMs: sumOf(devices.flatMap(({ cycleMs }) => (cycleMs === null ? [] : [cycleMs]))),
      counters: { ...counters, reconnects: Math.max(0, connections - 1) },
    }),
  };
}

/** Lets devices report once a second what they have held back for long enough, also when they are polled rarely. */
function settleEvery(clock: Clock, devices: readonly DeviceTracker[], counters: { samples: number }): Timer | undefined {
  if (devices.length === 0) return undefined;
  let timer: Timer;
  const settle = (): void => {
    for (const device of devices) counters.samples += device.settle();
    timer = clock.after(settleMs, settle);
  };
  timer = clock.after(settleMs, settle);
  return { cancel: () => timer.cancel() };
}

function sumOf(cycles: readonly CycleTime[]): CycleTime | null {
  if (cycles.length === 0) return null;
  return { last: cycles.reduce((sum, { last }) => sum + last, 0), max: cycles.reduce((sum, { max }) => sum + max, 0) };
}
