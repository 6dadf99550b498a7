import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { encodeIdentity, outboxIdentityMetric } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { type MessageType, sparkplugTopic } from '@nhip/core/wire/topic';

/** Edge agents, each with one machine of 200 process values: 2,000 series. */
const edges = 10;
export const metricsPerMessage = 200;

const identityAlias = 1000;

/** The broker's log in `dir`; nothing in it is deleted, however often it is read. */
export function openBenchLog(dir: string): Promise<LogBus> {
  const maxBytes = 4_294_967_296;
  return openSegmentLog(createNodeEnv(dir), 'log', { maxBytes, keepTailBytes: maxBytes, readers: [], log: silentLog() });
}

/**
 * Fills the log with what 10 edge agents publish: births, then `messages` DDATA of 200 doubles by alias, each with time
 * stamp, and with the identity of the agent's outbox. Resolves with the number of samples.
 */
export async function fillLog(dir: string, messages: number): Promise<number> {
  const log = await openBenchLog(dir);
  const startMs = Date.now() - messages * 100 - 60_000;
  const seqs = new Int32Array(edges).fill(-1);
  const sent = new Float64Array(edges);
  const streams = Array.from({ length: edges }, (_, e) => new Uint8Array(16).fill(e + 1));

  const append = (e: number, type: MessageType, atMs: number, metrics: readonly Metric[]): Promise<number> => {
    const edge = `E${e}`;
    const device = type.startsWith('D') ? 'M1' : '';
    const seq = ((seqs[e] ?? 0) + 1) % 256;
    seqs[e] = seq;
    const payload = encodePayload({ timestampMs: atMs, seq, metrics }, (metric) =>
      metric.alias === identityAlias ? dataType.Bytes : dataType.Double,
    );
    return log.append(
      encodeLogMessage({ receivedMs: atMs + 5, sender: `bench/${edge}`, topic: sparkplugTopic('bench', type, edge, device), payload }),
    );
  };

  for (let e = 0; e < edges; e++) {
    await append(e, 'NBIRTH', startMs, [{ name: 'bdSeq', dataType: dataType.Int64, value: 0 }]);
    const identity: Metric = { name: outboxIdentityMetric, alias: identityAlias, dataType: dataType.Bytes, value: new Uint8Array(24) };
    const values = Array.from(
      { length: metricsPerMessage },
      (_, m): Metric => ({ name: `Value/${m}`, alias: m + 1, dataType: dataType.Double, value: 0 }),
    );
    await append(e, 'DBIRTH', startMs, [identity, ...values]);
  }
  let pending: Promise<number>[] = [];
  for (let i = 0; i < messages; i++) {
    const e = i % edges;
    const atMs = startMs + i * 100;
    const metrics: Metric[] = [{ alias: identityAlias, value: encodeIdentity(streams[e] as Uint8Array, sent[e] ?? 0) }];
    for (let m = 0; m < metricsPerMessage; m++) metrics.push({ alias: m + 1, timestampMs: atMs + (m % 10), value: Math.sin(i + m) * 100 });
    sent[e] = (sent[e] ?? 0) + metricsPerMessage;
    pending.push(append(e, 'DDATA', atMs, metrics));
    if (pending.length === 1000) {
      await Promise.all(pending);
      pending = [];
    }
  }
  await Promise.all(pending);
  await log.close();
  return messages * metricsPerMessage;
}
