import type { Clock, Random } from '@nhip/core/process/env';
import { RetryableError } from '@nhip/core/process/errors';
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

  /** What the configuration adds to the time that the host gives `connect`, ms: pauses, answers that are waited for. */
  readonly connectExtraMs?: number | undefined;

  /**
   * Polled drivers: reads all tags of one device once. Resolves with a reading for every tag (bad ones with bad quality; a
   * tag that has no news in this cycle may be left out). Rejects when the device as a whole did not answer, and with
   * `ConnectionLostError` when no device can be read before a new connection. Calls for one connection are never concurrent.
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

  /**
   * Writes one value to the machine and reads it back: resolves with what the device says afterwards, which may differ from what
   * was asked for. Rejects with `ConfigError` for a metric that is not writable or a value that it cannot hold, before anything is
   * sent. Needs `connect`, and nothing else: a tool that writes one value does not subscribe. The host calls it only when the
   * configuration allows it, and never while another call to the connection is under way.
   */
  write?(deviceId: string, write: TagWrite, signal: AbortSignal): Promise<Reading>;

  /** Works before `connect`, twice, and during a call. Never rejects. */
  close(): Promise<void>;
}

/** The connection cannot go on: the host closes this driver and makes a new one. */
export class ConnectionLostError extends RetryableError {
  constructor(message: string, cause?: unknown) {
    super('driver.connectionLost', message, { cause });
  }
}

export interface Reading {
  readonly metric: string;
  readonly value: Value;
  /** ms UTC: the source's time if it has one, else when the answer arrived. */
  readonly timestampMs: number;
  readonly quality: Quality;
  /**
   * What the source kept while nobody listened: it is recorded whatever the report rule says, and is never the current value
   * (Sparkplug 3.0 §6.4.5 is_historical).
   */
  readonly isHistorical?: boolean | undefined;
}

/** A value for a machine, in the metric's unit: the driver undoes scale, offset and enum. */
export interface TagWrite {
  readonly metric: string;
  readonly value: NonNullable<Value>;
}

/** What a device will report: the DBIRTH is made from it. */
export interface MetricDefinition {
  readonly name: string;
  readonly dataType: DataTypeName;
  readonly unit?: string | undefined;
  /** How the host thins this metric out; without it every change and a heartbeat is reported. */
  readonly report?: ReportRule | undefined;
  /** Commands may set it, when the configuration allows commands at all. */
  readonly isWritable?: boolean | undefined;
}

/** Report by exception: a reading is reported when it differs from the last *reported* one by more than the deadband. */
export interface ReportRule {
  /** In the metric's unit. */
  readonly deadband?: number | undefined;
  /** In percent of `range`; without a range, of the last reported value. */
  readonly deadbandPercent?: number | undefined;
  /** Instead of a deadband: the line through the reported values is never further than this from a value that was not reported; in the metric's unit. */
  readonly swingingDoor?: number | undefined;
  /** With a swinging door: the last reported value is never off by more than the deviation for longer than this. */
  readonly maxDelayMs?: number | undefined;
  /** Lowest and highest value of the measuring range. */
  readonly range?: readonly [number, number] | undefined;
  /** An unchanged value is reported again after this time. */
  readonly heartbeatMs?: number | undefined;
  /** false: derived tags of the device may read it, it is never reported. */
  readonly publish?: boolean | undefined;
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
  /**
   * Why a value can never be written to a device, from its config alone: one sentence; undefined when nothing speaks against it.
   * `Driver.write` refuses what this refuses, and may find more against it at the machine.
   */
  writeProblem?(device: C['devices'][number], write: TagWrite): string | undefined;
  /** Loads the protocol library. Never called for a driver that no connection uses. */
  load(): Promise<DriverModule<C>>;
  /** For a protocol whose servers show certificates that a person has to trust. */
  readonly servers?: {
    loadTrust(): Promise<ServerTrust>;
    /** The connection would show a password to the server that it trusts. */
    showsPassword(connection: C): boolean;
  };
}

/** Which servers are trusted; kept in the folder of the drivers' state. */
export interface ServerTrust {
  /** All that were seen, those that wait for a decision first. */
  list(stateDir: string): Promise<readonly SeenCertificate[]>;
  /** Both throw ConfigError when no certificate has the thumbprint. */
  trust(stateDir: string, thumbprint: string): Promise<unknown>;
  reject(stateDir: string, thumbprint: string): Promise<unknown>;
}

/** A server's certificate that was seen at a connection attempt. */
export interface SeenCertificate {
  /** SHA-256, 64 hex digits. */
  readonly thumbprintSha256: string;
  readonly subject: string;
  /** From the certificate: what the server says it is. */
  readonly applicationUri: string | null;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly state: 'trusted' | 'waiting' | 'rejected';
  /** Where it was last shown, when that is known. */
  readonly endpoint: string | null;
  /** Since when it is in this state. */
  readonly sinceMs: number;
}

/** What a plugin's `driver.ts` exports. */
export interface DriverModule<C extends ConnectionConfig = ConnectionConfig> {
  /** Does no I/O. */
  create(config: C, deps: DriverDeps): Driver;
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
  /** Name and version of the profile that its tags come from. */
  readonly profile?: string | undefined;
  readonly intervalMs: number;
  readonly derived?: readonly DerivedTag[] | undefined;
}

/** A metric that the edge computes from other metrics of the device, see rules/README.md. */
export interface DerivedTag extends ReportRule {
  readonly metric: string;
  readonly expression: string;
  readonly dataType: DataTypeName;
  readonly unitName?: string | undefined;
  /** What `lookup(x)` finds. */
  readonly map?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** What the host tells the agent; the agent turns it into outbox records, births and deaths. */
export interface DeviceSink {
  /** The device answers (again). */
  online(deviceId: string): void;
  /** The device does not answer: its values are stale. `reason` is one plain sentence. May be the first call for a device. */
  offline(deviceId: string, reason: string): void;
  /** Samples that passed report by exception, oldest first. */
  report(deviceId: string, readings: readonly Reading[]): void;
  /** Every attempt to write a value, whatever came of it: the audit trail. */
  wrote?(attempt: WriteAttempt): void;
}

export interface WriteAttempt {
  readonly deviceId: string;
  readonly write: TagWrite;
  /** When it was asked for, ms UTC. */
  readonly timestampMs: number;
  /** `refused`: nothing was sent. `failed`: it may or may not have been written. */
  readonly outcome: 'written' | 'refused' | 'failed';
  /** What the device said afterwards; only when written. */
  readonly readBack?: Reading | undefined;
  /** Why it was not written. */
  readonly reason?: string | undefined;
}
