import { readFileSync } from 'node:fs';
import { checkConfig } from '@nhip/core/process/config';
import type { Env } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { Tracing } from '@nhip/core/process/tracing';
import { createAuditTrail } from './audit-trail.ts';
import type { AgentConfig } from './config.ts';
import { createDelivery, type DeliveryHealth } from './delivery.ts';
import type { DeviceSink } from './driver.ts';
import { driverPlugin } from './drivers/index.ts';
import { type ConnectionHealth, createConnectionHost } from './host/connection-host.ts';
import { idProblems } from './id-problems.ts';
import type { DiffedConfig } from './reload/config-diff.ts';
import { type Connection, createConnectionSet, type ReloadResult, type ResolvedConnection, resolve } from './reload/connection-set.ts';
import { certificateDeskOf } from './remote/certificates.ts';
import { createRequests, type PushDesk } from './remote/requests.ts';
import { deviceMetrics } from './rules/device-metrics.ts';
import { openRuleMemory, type RuleMemory } from './rules/rule-memory.ts';
import type { DeviceCommandHandler } from './session/device-command.ts';
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
  /** Traces of samples; undefined: none. */
  readonly tracing?: Tracing | undefined;
  /** Takes configurations that come through the server; undefined: none is taken. */
  readonly pushes?: PushDesk | undefined;
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
  const problems = idProblems(config);
  if (problems.length > 0) {
    throw new ConfigError(
      source,
      problems.map(({ path, message }) => `${path}: ${message}`),
    );
  }
  return config.connections.map((raw) => {
    const plugin = driverPlugin(raw.driver);
    return { plugin, config: checkConfig(plugin.config, raw, source) };
  });
}

type MqttFiles = { readonly mqtt: Pick<AgentConfig['mqtt'], 'password' | 'passwordFile' | 'caFile'> };

/** The MQTT password: from the config or the first line of its file. Throws ConfigError when there is none. */
export function mqttPassword(config: MqttFiles, source: string): string {
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
export function mqttCa({ mqtt }: MqttFiles, source: string): string | undefined {
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
  let current = connections;
  const password = mqttPassword(config, source);
  const ca = mqttCa(config, source);
  const first = diffable(config, connections);
  const devices = createDeviceTable();
  for (const { config: device, metrics } of first.connections.flatMap((connection) => connection.devices))
    devices.add(device, metrics, { isAwaited: true });
  const { url, backupUrls, keepaliveS, primaryHostId, strictSparkplug } = config.mqtt;
  const username = config.mqtt.username ?? `${config.group}/${config.edge}`;
  const stateDir = `${deps.dataDir}/drivers`;
  const requests = createRequests({
    clock: env.clock,
    log,
    certificates: certificateDeskOf(config, () => current, { clock: env.clock, log, stateDir }),
    pushes: deps.pushes,
    answered: () => delivery.nodeChanged(),
  });
  const audit = createAuditTrail(deps.dataDir, { clock: env.clock, log });
  const deviceCommands: DeviceCommandHandler = {
    problem: ({ deviceId, ...write }) => {
      if (!audit.isSound()) return 'the audit trail cannot be kept';
      const host = set.hostOf(deviceId);
      return host === undefined ? `there is no device "${deviceId}"` : host.writeProblem(deviceId, write);
    },
    // What comes of it is logged, audited and reported by the host; who commanded sees the value that the machine has.
    obey: ({ deviceId, ...write }) =>
      void set
        .hostOf(deviceId)
        ?.write(deviceId, write, stopping.signal)
        .catch(() => undefined),
    refused: (refusal) => audit.refused(refusal),
  };
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
      tracing: deps.tracing,
      connect: createMqttConnect({
        ...{ url, backupUrls, username, password, ca, keepaliveS, connectTimeoutMs },
        clientId: `${config.group}/${config.edge}`,
      }),
      onFatal: deps.onFatal,
      deviceCommands: config.commands.enabled ? deviceCommands : undefined,
      nodeTexts: requests.texts,
      onNodeRequest: config.remote.certificates || deps.pushes !== undefined ? requests.take : undefined,
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
  const driverDeps = { clock: env.clock, random: env.random, log, stateDir };
  const set = createConnectionSet(first, {
    devices: { declare: delivery.deviceDeclared, remove: delivery.deviceRemoved },
    createHost: ({ plugin, config: connection }) => createConnectionHost(plugin, connection, sink, { ...driverDeps, ruleMemory }),
  });

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
      audit.close();
      await time.close();
    },

    async reload(next, nextSource) {
      const wanted = resolveConnections(next, nextSource);
      const result = await set.apply(diffable(next, wanted));
      current = wanted;
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
