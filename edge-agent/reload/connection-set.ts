import type { ConnectionConfig, DeviceConfig, DriverPlugin, MetricDefinition } from '../driver.ts';
import type { ConnectionHealth, ConnectionHost } from '../host/connection-host.ts';
import { type ConfigDiff, type DiffedConfig, type DiffedDevice, diffConfig } from './config-diff.ts';

/** A connection's config, checked by its driver. */
export interface Connection {
  readonly plugin: DriverPlugin;
  readonly config: ConnectionConfig;
}

/** What the rest of the agent must know of devices that come, change and go while it runs. */
export interface DeviceBook {
  /** The device is new, or its birth says something else now. */
  declare(config: DeviceConfig, metrics: readonly MetricDefinition[]): void;
  /** Nobody reads the device any more. */
  remove(deviceId: string): void;
}

export interface ConnectionSetDeps {
  readonly devices: DeviceBook;
  createHost(connection: Connection): ConnectionHost;
}

/** What a reload did: ids of connections. */
export interface ReloadResult {
  readonly same: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Settings that differ from those in use and that only a restart applies. */
  readonly needRestart: readonly string[];
}

/** The connections that the agent keeps, each with a host of its own. */
export interface ConnectionSet {
  start(): void;
  /**
   * Goes over to another configuration: what is the same goes on without a pause, what changed or is gone is closed first, then devices
   * are declared and removed, then what is new or changed starts. Calls wait for each other.
   */
  apply(next: DiffedConfig<ResolvedConnection>): Promise<ReloadResult>;
  /** Idempotent; ends a reload that is under way. */
  stop(): Promise<void>;
  /** The host that serves a device. */
  hostOf(deviceId: string): ConnectionHost | undefined;
  health(): readonly ConnectionHealth[];
}

/** A connection with what the diff compares. */
export interface ResolvedConnection extends Connection {
  readonly devices: readonly DiffedDevice[];
}

type MetricsOf = (plugin: DriverPlugin, device: DeviceConfig) => readonly MetricDefinition[];

export function resolve(connection: Connection, metricsOf: MetricsOf): ResolvedConnection {
  const devices = connection.config.devices.map((config) => ({ config, metrics: metricsOf(connection.plugin, config) }));
  return { ...connection, devices };
}

/** The devices of `first` must be declared already: a delivery wants them before it starts. */
export function createConnectionSet(first: DiffedConfig<ResolvedConnection>, deps: ConnectionSetDeps): ConnectionSet {
  let current = first;
  const hosts = new Map<string, ConnectionHost>();
  let queue: Promise<void> = Promise.resolve();
  let isStopped = false;

  function open(connections: readonly ResolvedConnection[]): void {
    for (const connection of connections) {
      const host = deps.createHost(connection);
      hosts.set(connection.config.id, host);
      host.start();
    }
  }

  async function close(connections: readonly ResolvedConnection[]): Promise<void> {
    await Promise.all(connections.map(({ config }) => hosts.get(config.id)?.stop()));
    for (const { config } of connections) hosts.delete(config.id);
  }

  async function goOver(next: DiffedConfig<ResolvedConnection>): Promise<ReloadResult> {
    const diff = diffConfig(current, next);
    if (!isStopped) {
      await close([...diff.removed, ...diff.changed]);
      for (const id of diff.devices.removed) deps.devices.remove(id);
      for (const { config, metrics } of [...diff.devices.changed, ...diff.devices.added]) deps.devices.declare(config, metrics);
      // What needs a restart is still as it was, and is told again at the next reload.
      const { settings } = current;
      current = { connections: next.connections, settings };
      if (!isStopped) open([...diff.changed, ...diff.added]);
    }
    return resultOf(diff);
  }

  return {
    start: () => open(current.connections),
    apply(next) {
      const applied: Promise<ReloadResult> = queue.then(() => goOver(next));
      queue = applied.then(
        () => undefined,
        () => undefined,
      );
      return applied;
    },
    async stop() {
      isStopped = true;
      await Promise.all([...hosts.values()].map((host) => host.stop()));
      await queue;
    },
    hostOf: (deviceId) => {
      const owner = current.connections.find(({ devices }) => devices.some(({ config }) => config.id === deviceId));
      return owner === undefined ? undefined : hosts.get(owner.config.id);
    },
    // In the order of the configuration.
    health: () => current.connections.flatMap(({ config }) => hosts.get(config.id)?.health() ?? []),
  };
}

function resultOf(diff: ConfigDiff): ReloadResult {
  const ids = (connections: ConfigDiff['same']): readonly string[] => connections.map(({ config }) => config.id);
  return {
    same: ids(diff.same),
    added: ids(diff.added),
    removed: ids(diff.removed),
    changed: ids(diff.changed),
    needRestart: diff.needRestart,
  };
}
