import type { Clock, Random } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Quality, Value } from '@nhip/core/wire/sample';
import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import type { z } from 'zod';

/**
 * The driver contract, as promises.
 *
 * A driver instance is one connection to one endpoint and serves the devices behind it. Drivers are dumb: they throw
 * and never retry. The host owns schedule, timeout, retry, back-off, circuit breaker per device, report by exception,
 * metrics and connection logging.
 */
export interface Driver {
  /** Opens the connection. Rejects when the signal aborts. A failed or closed driver is never reused: the host makes a new one. */
  connect(signal: AbortSignal): Promise<void>;

  /**
   * Polled drivers: reads all tags of one device once. Resolves with a reading for every tag (bad ones with bad quality);
   * rejects when the device as a whole did not answer. Calls for one connection are never concurrent.
   */
  read?(deviceId: string, signal: AbortSignal): Promise<readonly Reading[]>;

  /**
   * Subscribing drivers: resolves when every device is subscribed; then calls `emit` for each notification and
   * `lost` once when the connection cannot go on by itself.
   */
  subscribe?(
    emit: (deviceId: string, readings: readonly Reading[]) => void,
    lost: (error: Error) => void,
    signal: AbortSignal,
  ): Promise<void>;

  /** Works before `connect`, twice, and during a call. Never rejects. */
  close(): Promise<void>;
}

export interface Reading {
  readonly metric: string;
  readonly value: Value;
  /** ms UTC: the source's time if it has one, else when the answer arrived. */
  readonly timestampMs: number;
  readonly quality: Quality;
}

/** What a device will report: the DBIRTH is made from it. */
export interface MetricDefinition {
  readonly name: string;
  readonly dataType: DataTypeName;
  readonly unit?: string;
}

export interface DriverDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Folder (absolute) for what a driver must keep, e.g. certificates. */
  readonly stateDir: string;
}

/** One line in `drivers/index.ts`. `C` is the connection's config; readable without loading the protocol library. */
export interface DriverPlugin<C extends ConnectionConfig = ConnectionConfig> {
  readonly name: string;
  readonly summary: string;
  readonly config: z.ZodType<C>;
  /** The metrics of one device, from its config alone. */
  metrics(device: C['devices'][number]): readonly MetricDefinition[];
  load(): Promise<(config: C, deps: DriverDeps) => Driver>;
}

/** What every driver's connection config has; drivers extend it. */
export interface ConnectionConfig {
  readonly driver: string;
  readonly id: string;
  readonly devices: readonly DeviceConfig[];
}

export interface DeviceConfig {
  readonly id: string;
  readonly displayName?: string | undefined;
  readonly kind?: string | undefined;
  readonly line?: string | undefined;
  readonly intervalMs: number;
}

/** What the host tells the agent; the agent turns it into outbox records, births and deaths. */
export interface DeviceSink {
  /** The device answers (again). */
  online(deviceId: string): void;
  /** The device does not answer: its values are stale. `reason` is one plain sentence. */
  offline(deviceId: string, reason: string): void;
  /** Samples that passed report by exception, oldest first. */
  report(deviceId: string, readings: readonly Reading[]): void;
}
