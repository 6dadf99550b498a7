import { encodeIdentity, outboxIdentityMetric } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { sparkplugTopic } from '@nhip/core/wire/topic';
import { connectAsync, type MqttClient } from 'mqtt';
import { addDevice, type DataFolder } from '../harness/plant.ts';

const edges = 10;
const metricsPerMessage = 200;
const inFlight = 64;

/**
 * Sends to the broker what `edges` edge agents would have sent up to now at `samplesPerS` in all: births, then DDATA with outbox
 * identity and time stamps of the past. Resolves with the seconds that it took, when everything is acknowledged.
 */
export async function fillBroker(data: DataFolder, mqttPort: number, samples: number, samplesPerS: number): Promise<number> {
  const messagesPerEdge = Math.ceil(samples / edges / metricsPerMessage);
  const stepMs = (edges * metricsPerMessage * 1000) / samplesPerS;
  const beginMs = Date.now() - messagesPerEdge * stepMs - 10_000;
  const logins = [];
  for (let e = 0; e < edges; e++) logins.push(await addDevice(data, `bench/E${e}`));
  const startedMs = performance.now();
  await Promise.all(
    logins.map(async ({ username, password }, e) => {
      const client = await connectAsync({ host: '127.0.0.1', port: mqttPort, username, password, clientId: username, reconnectPeriod: 0 });
      await publishAll(client, e, { messages: messagesPerEdge, stepMs, beginMs });
      await client.endAsync(true);
    }),
  );
  return (performance.now() - startedMs) / 1000;
}

async function publishAll(
  client: MqttClient,
  e: number,
  { messages, stepMs, beginMs }: { readonly messages: number; readonly stepMs: number; readonly beginMs: number },
): Promise<void> {
  const edge = `E${e}`;
  const stream = new Uint8Array(16).fill(e + 1);
  const waiting = new Set<Promise<unknown>>();
  const send = async (topic: string, payload: Uint8Array): Promise<void> => {
    if (waiting.size >= inFlight) await Promise.race(waiting);
    const sent: Promise<unknown> = client.publishAsync(topic, Buffer.from(payload), { qos: 1 }).finally(() => waiting.delete(sent));
    waiting.add(sent);
  };
  const nodeMetrics: readonly Metric[] = [{ name: 'bdSeq', dataType: dataType.Int64, value: 0 }];
  await send(sparkplugTopic('bench', 'NBIRTH', edge, ''), encodePayload({ timestampMs: beginMs, seq: 0, metrics: nodeMetrics }));
  const birth = Array.from(
    { length: metricsPerMessage },
    (_, m): Metric => ({ name: `Value/${m}`, alias: m + 1, dataType: dataType.Double, value: 0, timestampMs: beginMs }),
  );
  await send(sparkplugTopic('bench', 'DBIRTH', edge, 'M1'), encodePayload({ timestampMs: beginMs, seq: 1, metrics: birth }));
  for (let i = 0; i < messages; i++) {
    const atMs = Math.round(beginMs + i * stepMs);
    const identity = encodeIdentity(stream, i * metricsPerMessage);
    const metrics: Metric[] = [{ name: outboxIdentityMetric, dataType: dataType.Bytes, value: identity }];
    for (let m = 0; m < metricsPerMessage; m++) metrics.push({ alias: m + 1, timestampMs: atMs + (m % 10), value: Math.sin(i + m) * 100 });
    const payload = encodePayload({ timestampMs: atMs, seq: (i + 2) % 256, metrics }, (metric) =>
      metric.alias === undefined ? dataType.Bytes : dataType.Double,
    );
    await send(sparkplugTopic('bench', 'DDATA', edge, 'M1'), payload);
  }
  await Promise.all(waiting);
}
