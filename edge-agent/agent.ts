import { readFileSync } from 'node:fs';
import { checkConfig } from '@nhip/core/process/config';
import type { Env } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { isId } from '@nhip/core/wire/topic';
import type { AgentConfig } from './config.ts';
import { createDelivery, type DeliveryHealth } from './delivery.ts';
import type { ConnectionConfig, DeviceSink, DriverPlugin } from './driver.ts';
import { driverPlugin } from './drivers/index.ts';
import { type ConnectionHealth, type ConnectionHost, createConnectionHost } from './host/connection-host.ts';
import { createDeviceTable } from './session/device-table.ts';
import { createMqttConnect } from './session/mqtt-connection.ts';

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

export interface AgentHealth extends DeliveryHealth {
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
  const { url, keepaliveS } = config.mqtt;
  const username = config.mqtt.username ?? `${config.group}/${config.edge}`;
  const delivery = createDelivery(
    {
      group: config.group,
      edge: config.edge,
      maxPayloadBytes: config.mqtt.maxPacketBytes - packetOverheadBytes,
      window: config.mqtt.window,
      backlogMessagesPerS: config.outbox.backlogMessagesPerS,
      outbox: config.outbox,
    },
    {
      env,
      log,
      devices,
      connect: createMqttConnect({ url, clientId: `${config.group}/${config.edge}`, username, password, ca, keepaliveS, connectTimeoutMs }),
      onFatal: deps.onFatal,
    },
  );
  const sink: DeviceSink = {
    online: (deviceId) => delivery.deviceChanged(deviceId, true),
    offline: (deviceId) => delivery.deviceChanged(deviceId, false),
    report: (deviceId, readings) => void delivery.report(deviceId, readings),
  };
  const driverDeps = { clock: env.clock, random: env.random, log, stateDir: `${deps.dataDir}/drivers` };
  let hosts: readonly ConnectionHost[] = [];

  return {
    async start() {
      log.info({ broker: url, edge: `${config.group}/${config.edge}` }, 'The edge agent starts');
      await delivery.start();
      hosts = connections.map(({ plugin, config: connection }) => createConnectionHost(plugin, connection, sink, driverDeps));
      for (const host of hosts) host.start();
    },

    async stop() {
      await Promise.all(hosts.map((host) => host.stop()));
      await delivery.stop();
    },

    health: () => ({ ...delivery.health(), connections: hosts.map((host) => host.health()) }),
  };
}
