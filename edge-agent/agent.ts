import { readFileSync } from 'node:fs';
import { checkConfig } from '@nhip/core/process/config';
import type { Env } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { isId } from '@nhip/core/wire/topic';
import type { AgentConfig } from './config.ts';
import type { ConnectionConfig, DeviceSink, DriverPlugin } from './driver.ts';
import { driverPlugin } from './drivers/index.ts';
import { type ConnectionHealth, type ConnectionHost, createConnectionHost } from './host/connection-host.ts';
import { type Outbox, openOutbox } from './outbox/outbox.ts';
import { createPublisher, type Publisher } from './publisher/publisher.ts';
import { createDeviceTable } from './session/device-table.ts';
import { createSession, type Session } from './session/session.ts';

/** Topic, ids and headers around a payload. */
const packetOverheadBytes = 1024;

export interface AgentDeps {
  /** Its disk is the agent's data folder. */
  readonly env: Env;
  readonly log: Log;
  /** Absolute path of the data folder, for driver state such as certificates. */
  readonly dataDir: string;
  /** Called when going on would break a promise: the process must end. */
  onFatal(error: Error): void;
}

export interface Agent {
  start(): Promise<void>;
  /** Stops reading, makes what was read durable, says goodbye to the broker. Idempotent. */
  stop(): Promise<void>;
  health(): AgentHealth;
}

export interface AgentHealth {
  readonly session: ReturnType<Session['health']>;
  readonly pendingRecords: number;
  readonly recorded: number;
  readonly lost: number;
  readonly published: number;
  /** Outbox records that were given up (quota, damage) before they could be sent. */
  readonly goneRecords: number;
  readonly connections: readonly ConnectionHealth[];
}

/** A connection's config, checked by its driver. */
export interface Connection {
  readonly plugin: DriverPlugin;
  readonly config: ConnectionConfig;
}

/**
 * Every connection with its driver and the driver's defaults. Throws ConfigError with all problems when two connections or
 * two devices have the same id, or a device id cannot stand in a topic.
 */
export function resolveConnections(config: AgentConfig, source: string): readonly Connection[] {
  const problems: string[] = [];
  const resolved = config.connections.map((raw) => {
    const plugin = driverPlugin(raw.driver);
    return { plugin, config: checkConfig(plugin.config, raw, source) };
  });
  const seen = new Set<string>();
  for (const { config: connection } of resolved) {
    for (const { id } of connection.devices) {
      if (!isId(id)) problems.push(`device "${id}" cannot stand in a topic: an id has 1–64 letters, digits, _ . or -`);
    }
    for (const id of [`connection ${connection.id}`, ...connection.devices.map((device) => `device ${device.id}`)]) {
      if (seen.has(id)) problems.push(`${id} is there twice; ids must be unique in one agent`);
      seen.add(id);
    }
  }
  if (problems.length > 0) throw new ConfigError(source, problems);
  return resolved;
}

/** The MQTT password: from the config or the first line of its file. Throws ConfigError when there is none. */
export function mqttPassword(config: AgentConfig, source: string): string {
  const { password, passwordFile } = config.mqtt;
  if (password !== undefined) return password;
  if (passwordFile === undefined) {
    throw new ConfigError(source, ['mqtt: password or passwordFile is missing; `nhip device add <group>/<edge>` makes one']);
  }
  const first = readText(passwordFile, 'mqtt.passwordFile', source).split('\n')[0]?.trim() ?? '';
  if (first === '') throw new ConfigError(source, [`mqtt.passwordFile: the first line of ${passwordFile} is empty`]);
  return first;
}

/** The CA that signed the broker's certificate, PEM; undefined when none is configured. Throws ConfigError when its file cannot be read. */
export function mqttCa({ mqtt }: AgentConfig, source: string): string | undefined {
  return mqtt.caFile === undefined ? undefined : readText(mqtt.caFile, 'mqtt.caFile', source);
}

function readText(path: string, field: string, source: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(source, [`${field}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`]);
  }
}

const connectTimeoutMs = 10_000;

/** The edge-agent role: drivers → report by exception → outbox → publisher → broker. Throws ConfigError before it opens or connects anything. */
export function createAgent(config: AgentConfig, source: string, deps: AgentDeps): Agent {
  const { env, log } = deps;
  const connections = resolveConnections(config, source);
  const password = mqttPassword(config, source);
  const ca = mqttCa(config, source);
  const devices = createDeviceTable();
  for (const { plugin, config: connection } of connections) {
    for (const device of connection.devices) devices.add(device, plugin.metrics(device));
  }
  let outbox: Outbox | undefined;
  let publisher: Publisher | undefined;
  let session: Session | undefined;
  let hosts: readonly ConnectionHost[] = [];

  function nodeMetrics(): readonly Metric[] {
    const timestampMs = env.clock.now();
    const counts = outbox?.counts() ?? { recorded: 0, lost: 0 };
    const numbers: readonly (readonly [string, number])[] = [
      ['Outbox/PendingRecords', publisher?.pendingRecords() ?? 0],
      ['Outbox/Recorded', counts.recorded],
      ['Outbox/Lost', counts.lost],
      ['Outbox/GoneRecords', publisher?.counts().goneRecords ?? 0],
    ];
    return numbers.map(([name, value]) => ({ name, timestampMs, dataType: dataType.UInt64, value }));
  }

  const sink: DeviceSink = {
    online(deviceId) {
      setOnline(deviceId, true);
    },
    offline(deviceId) {
      setOnline(deviceId, false);
    },
    report(deviceId, readings) {
      const device = devices.get(deviceId);
      if (device === undefined || readings.length === 0) return;
      for (const reading of readings) device.last.set(reading.metric, reading);
      void outbox?.append(deviceId, readings, device.metrics);
    },
  };

  function setOnline(deviceId: string, isOnline: boolean): void {
    const device = devices.get(deviceId);
    if (device === undefined || device.isOnline === isOnline) return;
    device.isOnline = isOnline;
    session?.deviceChanged(deviceId, isOnline);
  }

  return {
    async start() {
      const box = await openOutbox(
        env,
        'outbox',
        { ...config.outbox, maxRecordBytes: config.mqtt.maxPacketBytes - packetOverheadBytes },
        { log, onFatal: deps.onFatal },
      );
      outbox = box;
      const sender = createPublisher(
        { window: config.mqtt.window, backlogMessagesPerS: config.outbox.backlogMessagesPerS },
        { clock: env.clock, log, outbox: box, devices },
      );
      publisher = sender;
      session = createSession(
        {
          group: config.group,
          edge: config.edge,
          url: config.mqtt.url,
          username: config.mqtt.username ?? `${config.group}/${config.edge}`,
          password,
          ca,
          keepaliveS: config.mqtt.keepaliveS,
          maxPayloadBytes: config.mqtt.maxPacketBytes - packetOverheadBytes,
          connectTimeoutMs,
        },
        { clock: env.clock, random: env.random, disk: env.disk, log, devices, nodeMetrics, onSession: (link) => sender.run(link) },
      );
      const driverDeps = { clock: env.clock, random: env.random, log, stateDir: `${deps.dataDir}/drivers` };
      hosts = connections.map(({ plugin, config: connection }) => createConnectionHost(plugin, connection, sink, driverDeps));
      session.start();
      for (const host of hosts) host.start();
    },

    async stop() {
      await Promise.all(hosts.map((host) => host.stop()));
      await session?.stop();
      await publisher?.flush();
      await outbox?.close();
    },

    health: () => ({
      session: session?.health() ?? { isOnline: false, connects: 0, rebirths: 0 },
      pendingRecords: publisher?.pendingRecords() ?? 0,
      recorded: outbox?.counts().recorded ?? 0,
      lost: outbox?.counts().lost ?? 0,
      published: publisher?.counts().published ?? 0,
      goneRecords: publisher?.counts().goneRecords ?? 0,
      connections: hosts.map((host) => host.health()),
    }),
  };
}
