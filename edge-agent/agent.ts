import { readFileSync } from 'node:fs';
import { checkConfig } from '@nhip/core/process/config';
import type { Env } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { isId } from '@nhip/core/wire/topic';
import { createAuditTrail } from './audit-trail.ts';
import type { AgentConfig } from './config.ts';
import { createDelivery, type DeliveryHealth } from './delivery.ts';
import type { DeviceSink } from './driver.ts';
import { driverPlugin } from './drivers/index.ts';
import { type ConnectionHealth, createConnectionHost } from './host/connection-host.ts';
import type { DiffedConfig } from './reload/config-diff.ts';
import { type Connection, createConnectionSet, type ReloadResult, type ResolvedConnection, resolve } from './reload/connection-set.ts';
import { deviceMetrics } from './rules/device-metrics.ts';
import { openRuleMemory, type RuleMemory } from './rules/rule-memory.ts';
import type { DeviceCommand } from './session/device-command.ts';
import { createDeviceTable } from './session/device-table.ts';
import { createMqttConnect } from './session/mqtt-connection.ts';
import { createAgentTime } from './time/agent-time.ts';
import type { HeldReadings } from './time/held-readings.ts';
import { systemTimeSources, type TimeSources } from './time/time-sources.ts';
import type { ClockHealth } from './time/timekeeper.ts';

/** Topic, ids and headers around a payload. */
const packetOverheadBytes = 1024;

export interface AgentDeps {
  /** Its disk is the agent's data folder. */
  readonly env: Env;
  readonly log: Log;
  /** Absolute path of the data folder, for driver state such as certificates. */
  readonly dataDir: string;
  /** What the system knows about the time; this computer's when absent. */
  readonly timeSources?: TimeSources | undefined;
  /** Called when going on would break a promise: the process must end. */
  onFatal(error: Error): void;
}

export interface Agent {
  start(): Promise<void>;
  /** Stops reading, makes what was read durable, says goodbye to the broker. Idempotent. */
  stop(): Promise<void>;
  /**
   * Goes over to another configuration without a pause in what is the same. Throws ConfigError, before anything is touched, when the new
   * one cannot be used; the old one goes on then.
   */
  reload(config: AgentConfig, source: string): Promise<ReloadResult>;
  health(): AgentHealth;
}

export interface AgentHealth extends DeliveryHealth {
  readonly connections: readonly ConnectionHealth[];
  readonly clock: ClockHealth;
  /** Waiting for the time to be known, before the outbox. */
  readonly heldRecords: number;
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
/** A broker takes a client for dead after this many keep-alive times (MQTT 3.1.1 §3.1.2.10): what was sent before that may be lost. */
const strictHoldFactor = 1.5;

/** The edge-agent role: drivers → report by exception → outbox → publisher → broker. Throws ConfigError before it opens or connects anything. */
export function createAgent(config: AgentConfig, source: string, deps: AgentDeps): Agent {
  const { log } = deps;
  const time = createAgentTime(deps.env, log, deps.timeSources ?? systemTimeSources());
  const { env } = time;
  const connections = resolveConnections(config, source);
  const password = mqttPassword(config, source);
  const ca = mqttCa(config, source);
  const first = diffable(config, connections);
  const devices = createDeviceTable();
  for (const device of first.connections.flatMap((connection) => connection.devices)) devices.add(device.config, device.metrics);
  const { url, backupUrls, keepaliveS, primaryHostId, strictSparkplug } = config.mqtt;
  const username = config.mqtt.username ?? `${config.group}/${config.edge}`;
  const delivery = createDelivery(
    {
      group: config.group,
      edge: config.edge,
      maxPayloadBytes: config.mqtt.maxPacketBytes - packetOverheadBytes,
      window: config.mqtt.window,
      backlogMessagesPerS: config.outbox.backlogMessagesPerS,
      strictHoldMs: strictSparkplug ? strictHoldFactor * keepaliveS * 1000 : undefined,
      servers: 1 + backupUrls.length,
      primaryHostId,
      outbox: config.outbox,
    },
    {
      env,
      log,
      devices,
      connect: createMqttConnect({
        ...{ url, backupUrls, username, password, ca, keepaliveS, connectTimeoutMs },
        clientId: `${config.group}/${config.edge}`,
      }),
      onFatal: deps.onFatal,
      onDeviceCommand: config.commands.enabled ? obey : undefined,
    },
  );
  const sink: DeviceSink = {
    online: (deviceId) => delivery.deviceChanged(deviceId, true),
    offline: (deviceId) => delivery.deviceChanged(deviceId, false),
    report: (deviceId, readings) => void held?.report(deviceId, readings),
    wrote: (attempt) => audit.keep(attempt),
  };
  let held: HeldReadings | undefined;
  let ruleMemory: RuleMemory | undefined;
  const stopping = new AbortController();
  const driverDeps = { clock: env.clock, random: env.random, log, stateDir: `${deps.dataDir}/drivers` };
  const audit = createAuditTrail(deps.dataDir, log);
  const set = createConnectionSet(first, {
    devices: { declare: delivery.deviceDeclared, remove: delivery.deviceRemoved },
    createHost: ({ plugin, config: connection }) => createConnectionHost(plugin, connection, sink, { ...driverDeps, ruleMemory }),
  });

  /** What comes of it is logged, audited and reported by the host; who commanded sees the value that the machine has. */
  function obey({ deviceId, metric, value }: DeviceCommand): void {
    if (!audit.isSound()) {
      log.error({ device: deviceId, metric }, 'A command is refused: nothing is written to machines while the audit trail cannot be kept');
      return;
    }
    const host = set.hostOf(deviceId);
    host?.write(deviceId, { metric, value }, stopping.signal).catch(() => undefined);
  }

  return {
    async start() {
      log.info({ broker: url, edge: `${config.group}/${config.edge}` }, 'The edge agent starts');
      await time.open();
      await delivery.start();
      held = await time.hold({ forward: delivery.report, outbox: delivery.outboxLog, onFatal: deps.onFatal });
      ruleMemory = await openRuleMemory(env, 'rules', log);
      set.start();
    },

    async stop() {
      stopping.abort(new Error('the agent stops'));
      await set.stop();
      await ruleMemory?.close();
      await held?.close();
      await delivery.stop();
      await time.close();
    },

    async reload(next, nextSource) {
      const result = await set.apply(diffable(next, resolveConnections(next, nextSource)));
      const { same, needRestart, ...rest } = result;
      log.info({ ...rest, same: same.length }, 'The configuration was read again and is in use');
      if (needRestart.length > 0) log.warn({ settings: needRestart }, 'Settings changed that only the next start of the agent uses');
      return result;
    },

    health: () => ({ ...delivery.health(), connections: set.health(), clock: time.health(), heldRecords: held?.pending() ?? 0 }),
  };
}

function diffable(config: AgentConfig, connections: readonly Connection[]): DiffedConfig<ResolvedConnection> {
  const { connections: _, ...settings } = config;
  return { connections: connections.map((connection) => resolve(connection, deviceMetrics)), settings };
}
