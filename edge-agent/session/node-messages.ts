import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { outboxLossMetric } from '@nhip/core/wire/outbox-identity';
import { type DataType, dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { type MessageType, sparkplugTopic } from '@nhip/core/wire/topic';
import type { MqttConnection, MqttWill } from './connection.ts';
import type { DeviceTable } from './device-table.ts';

export interface NodeMessagesConfig {
  readonly group: string;
  readonly edge: string;
  /** A birth beyond this would end the session, at the broker, for ever; such a device is left out. */
  readonly maxPayloadBytes: number;
  /** DATA at QoS 0 and only when it changed, as Sparkplug wants it (tck-id-topics-ddata-mqtt); default false: QoS 1, for the PUBACK. */
  readonly isStrict?: boolean | undefined;
}

interface NodeMessagesDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: DeviceTable;
  /** Devices whose birth is too large, over all sessions: it is said once. */
  readonly unborn: Set<string>;
}

/** The Sparkplug messages of one session, with its sequence numbers: 0 with the NBIRTH, +1 with every other message, 255 → 0. */
export interface NodeMessages {
  /** NBIRTH, then the DBIRTH of every device of which it is known whether it answers, at QoS 0 (tck-id-topics-nbirth-mqtt); the order of TCP and of the broker's log puts them before the data. */
  birth(nodeMetrics: readonly Metric[]): void;
  /** It answers, does not, or (undefined) is another one and not asked yet. */
  deviceChanged(deviceId: string, isOnline: boolean | undefined): void;
  /** At QoS 0. */
  nodeData(metrics: readonly Metric[]): void;
  /** At QoS 1; resolves at the PUBACK. Strict: at QoS 0; resolves when it is handed over. */
  nodeDataAcknowledged(metrics: readonly Metric[]): Promise<void>;
  /** DDATA, likewise. `encode` gets the message's sequence number. */
  deviceData(device: string, encode: (seq: number) => Uint8Array): Promise<void>;
  /** NDEATH at QoS 1 (tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath). */
  death(): Promise<void>;
}

/** The will of a session: an NDEATH with nothing but its bdSeq (tck-id-message-flow-edge-node-birth-publish-will-message). */
export function willOf({ group, edge }: NodeMessagesConfig, bdSeq: number, timestampMs: number): MqttWill {
  return {
    topic: sparkplugTopic(group, 'NDEATH', edge),
    payload: encodePayload({ timestampMs, metrics: [bdSeqMetric(bdSeq, timestampMs)] }),
  };
}

export function createNodeMessages(
  config: NodeMessagesConfig,
  deps: NodeMessagesDeps,
  connection: MqttConnection,
  bdSeq: number,
): NodeMessages {
  const { clock, log, devices, unborn } = deps;
  const dataQos = config.isStrict === true ? 0 : 1;
  let seq = 0;
  /** Devices with a DBIRTH since the last NBIRTH: the host knows them. */
  const born = new Set<string>();
  /** Devices whose DBIRTH, as they are configured now, was sent or is too large. */
  const declared = new Set<string>();

  function nextSeq(): number {
    seq = (seq + 1) % 256;
    return seq;
  }

  function publish(type: MessageType, device: string, payload: Uint8Array, qos: 0 | 1): Promise<void> {
    return connection.publish(sparkplugTopic(config.group, type, config.edge, device), payload, qos);
  }

  function sendUnacknowledged(type: MessageType, device: string, payload: Uint8Array): void {
    publish(type, device, payload, 0).catch((error: unknown) =>
      log.debug({ err: error, type, device }, 'Message not sent, the session ended'),
    );
  }

  function birthDevice(deviceId: string): void {
    declared.add(deviceId);
    const timestampMs = clock.now();
    const payload = encodePayload({ timestampMs, seq: (seq + 1) % 256, metrics: devices.birthMetrics(deviceId, timestampMs) });
    if (payload.length > config.maxPayloadBytes) {
      if (!unborn.has(deviceId)) {
        const advice =
          'The birth of a device is larger than one message may be: split the device or raise mqtt.maxPacketBytes on both sides';
        log.error({ device: deviceId, bytes: payload.length, maxBytes: config.maxPayloadBytes }, advice);
      }
      unborn.add(deviceId);
      return;
    }
    unborn.delete(deviceId);
    born.add(deviceId);
    nextSeq();
    sendUnacknowledged('DBIRTH', deviceId, payload);
  }

  /** Born and declared dead at once when it was not born yet: the host then knows the aliases of what the backlog still holds of it. */
  function deathDevice(deviceId: string): void {
    if (!declared.has(deviceId)) birthDevice(deviceId);
    if (!born.has(deviceId)) return;
    sendUnacknowledged('DDEATH', deviceId, encodePayload({ timestampMs: clock.now(), seq: nextSeq(), metrics: [] }));
  }

  /** Without types and properties: the birth tells them (tck-id-payloads-metric-datatype-not-req). */
  function nodeData(metrics: readonly Metric[]): Uint8Array {
    const types = new Map<Metric, DataType>();
    const data = metrics.map(({ dataType: type, properties: _, ...metric }): Metric => {
      if (type !== undefined) types.set(metric, type);
      return metric;
    });
    return encodePayload({ timestampMs: clock.now(), seq: nextSeq(), metrics: data }, (metric) => types.get(metric) ?? dataType.Double);
  }

  return {
    birth(nodeMetrics) {
      seq = 0;
      born.clear();
      declared.clear();
      const timestampMs = clock.now();
      const metrics: Metric[] = [
        bdSeqMetric(bdSeq, timestampMs),
        { name: 'Node Control/Rebirth', timestampMs, dataType: dataType.Boolean, value: false },
        { name: outboxLossMetric, timestampMs, dataType: dataType.String, value: null },
        ...nodeMetrics,
      ];
      sendUnacknowledged('NBIRTH', '', encodePayload({ timestampMs, seq: 0, metrics: metrics.sort(byTime) }));
      for (const device of devices.all()) {
        if (device.isOnline === true) birthDevice(device.id);
        if (device.isOnline === false) deathDevice(device.id);
      }
    },
    deviceChanged(deviceId, isOnline) {
      if (isOnline === true) birthDevice(deviceId);
      else if (isOnline === false) deathDevice(deviceId);
      else declared.delete(deviceId);
    },
    nodeData(metrics) {
      sendUnacknowledged('NDATA', '', nodeData(metrics));
    },
    nodeDataAcknowledged: (metrics) => publish('NDATA', '', nodeData(metrics), dataQos),
    deviceData(device, encode) {
      // The backlog of an earlier run may come before anybody knows whether the device answers now.
      if (!declared.has(device)) birthDevice(device);
      return publish('DDATA', device, encode(nextSeq()), dataQos);
    },
    death() {
      const timestampMs = clock.now();
      return publish('NDEATH', '', encodePayload({ timestampMs, metrics: [bdSeqMetric(bdSeq, timestampMs)] }), 1);
    },
  };
}

/** tck-id-operational-behavior-data-publish-nbirth-order */
function byTime(a: Metric, b: Metric): number {
  return (a.timestampMs ?? 0) - (b.timestampMs ?? 0);
}

function bdSeqMetric(bdSeq: number, timestampMs: number): Metric {
  return { name: 'bdSeq', timestampMs, dataType: dataType.Int64, value: bdSeq };
}
