import type { Clock } from '@nhip/core/process/env';
import { ConfigError, PermanentError, RetryableError, reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { ConnectionLostError, type DeviceSink, type Driver, type MetricDefinition, type Reading, type TagWrite } from '../driver.ts';
import { within } from './deadline.ts';
import type { DeviceTracker } from './device-tracker.ts';
import type { Turns } from './turns.ts';

/** What a write needs of the connection that is up now. */
export interface WritableConnection {
  readonly driver: Driver;
  readonly turns: Turns;
  readonly signal: AbortSignal;
  /** The connection cannot go on: a call hangs, or the driver says so. */
  lost(error: Error): void;
}

export interface WriterOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly writeTimeoutMs: number;
  readonly sink: DeviceSink;
  readonly driverName: string;
  /** Devices by id, each with the metrics that its driver knows. */
  readonly devices: ReadonlyMap<string, WritableDevice>;
  /** Undefined while there is no connection. */
  connection(): WritableConnection | undefined;
  /** Takes what the device said after the write. */
  onReading(tracker: DeviceTracker, reading: Reading): void;
}

interface WritableDevice {
  readonly tracker: DeviceTracker;
  readonly metrics: readonly MetricDefinition[];
  /** `DriverPlugin.writeProblem` of the device. */
  problem?(write: TagWrite): string | undefined;
}

/** Writes to one connection that may wait for their turn. */
const maxWaiting = 16;

export interface WriteValue {
  write(deviceId: string, write: TagWrite, signal: AbortSignal): Promise<Reading>;
  /** Why the configuration does not let the value be written, whatever the machine says: one sentence; undefined when it does. */
  problem(deviceId: string, write: TagWrite): string | undefined;
}

/**
 * Makes the write of one connection. It waits for its turn between other calls to the driver. Resolves with what the device said
 * afterwards. Rejects, before anything is sent, with PermanentError `write.refused` (no such device or metric, not writable, a value that it must not have) and with
 * RetryableError `write.offline` or `write.busy`; with the driver's error or ConnectionLostError when it is not known whether the
 * machine took the value. Every attempt goes to the log and to `sink.wrote`.
 */
export function createWriteValue(options: WriterOptions): WriteValue {
  const { clock, log, sink, devices } = options;
  let waiting = 0;

  function problem(deviceId: string, write: TagWrite): string | undefined {
    const { metric } = write;
    const device = devices.get(deviceId);
    if (device === undefined) return `there is no device "${deviceId}" on this connection`;
    const definition = device.metrics.find(({ name }) => name === metric);
    if (definition === undefined) return `${deviceId} has no metric "${metric}" that its driver reads`;
    if (definition.isWritable !== true) return `${deviceId}/${metric} is not writable; the configuration of the tag must allow it`;
    return device.problem?.(write);
  }

  /** The device and the connection, or why the write cannot be. */
  function allowed(deviceId: string, write: TagWrite): { readonly tracker: DeviceTracker; readonly connection: WritableConnection } {
    const why = problem(deviceId, write);
    if (why !== undefined) throw new PermanentError('write.refused', why);
    const device = devices.get(deviceId) as WritableDevice;
    const connection = options.connection();
    if (connection === undefined) throw new RetryableError('write.offline', `the connection of ${deviceId} is down`);
    if (connection.driver.write === undefined) {
      throw new PermanentError('write.refused', `driver ${options.driverName} cannot write`);
    }
    if (device.tracker.state !== 'online') throw new RetryableError('write.offline', `${deviceId} does not answer; nothing was written`);
    return { tracker: device.tracker, connection };
  }

  async function inTurn(deviceId: string, write: TagWrite, signal: AbortSignal, onSent: () => void): Promise<Reading> {
    const { connection } = allowed(deviceId, write);
    if (waiting >= maxWaiting) throw new RetryableError('write.busy', `${maxWaiting} writes to this connection are waiting already`);
    waiting++;
    try {
      return await connection.turns.take(async () => {
        signal.throwIfAborted();
        connection.signal.throwIfAborted();
        const { tracker } = allowed(deviceId, write);
        onSent();
        try {
          const both = AbortSignal.any([signal, connection.signal]);
          const call = connection.driver.write?.(deviceId, write, both) as Promise<Reading>;
          // The turn ends with the call, not with the patience of who asked: calls must not be concurrent.
          const reading = await within(clock, options.writeTimeoutMs, `writing ${deviceId}/${write.metric}`, call, connection.signal);
          options.onReading(tracker, reading);
          return reading;
        } catch (error) {
          if (error instanceof ConnectionLostError) connection.lost(error);
          throw error;
        }
      });
    } finally {
      waiting--;
    }
  }

  async function attempt(deviceId: string, write: TagWrite, signal: AbortSignal): Promise<Reading> {
    const timestampMs = clock.now();
    let isSent = false;
    const fields = { device: deviceId, metric: write.metric, value: String(write.value).slice(0, 200) };
    try {
      const readBack = await inTurn(deviceId, write, signal, () => {
        isSent = true;
      });
      log.info({ ...fields, readBack: String(readBack.value).slice(0, 200) }, 'A value was written to a machine.');
      sink.wrote?.({ deviceId, write, timestampMs, outcome: 'written', readBack });
      return readBack;
    } catch (error) {
      const reason = reasonOf(error);
      const outcome = isSent && !(error instanceof ConfigError) ? 'failed' : 'refused';
      log.warn({ ...fields, outcome, reason }, 'A value was not written to a machine.');
      sink.wrote?.({ deviceId, write, timestampMs, outcome, reason });
      throw error;
    }
  }

  return { write: attempt, problem };
}
