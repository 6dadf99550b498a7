import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { createDecoder } from '@nhip/core/telemetry/decoder';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import { createDelivery } from '@nhip/edge-agent/delivery';
import type { MqttConnection } from '@nhip/edge-agent/session/connection';
import { createDeviceTable } from '@nhip/edge-agent/session/device-table';

const metric = 'Temp/Cabinet';
const reportEveryS = 10;

export interface EdgeRun {
  readonly group: string;
  readonly edge: string;
  readonly devices: readonly string[];
  readonly fromMs: number;
  readonly seconds: number;
  /** Seconds in which the broker is out of reach, so that the outbox fills: [from, to). */
  readonly cuts: readonly (readonly [fromS: number, toS: number])[];
}

/**
 * What a real edge agent says of itself (`_node`) and of how its devices are reached, as ingest would decode it: its delivery runs on a
 * simulated clock, disk and network.
 */
export async function pushEdgeHistory(batch: SampleBatch, edge: EdgeRun): Promise<void> {
  const clock = createSimClock(edge.fromMs);
  const decoder = createDecoder(batch.series);
  const devices = createDeviceTable();
  for (const id of edge.devices) devices.add({ id, intervalMs: reportEveryS * 1000 }, [{ name: metric, dataType: 'Double' }]);
  let index = 0;
  let isCut = false;
  let cut: (reason: Error) => void = () => undefined;

  function receive(topic: string, payload: Uint8Array): void {
    const bytes = encodeLogMessage({ receivedMs: clock.now(), sender: `${edge.group}/${edge.edge}`, topic, payload });
    decoder.decode({ index, payload: bytes }, batch);
    index++;
  }

  const delivery = createDelivery(
    {
      ...{ group: edge.group, edge: edge.edge, maxPayloadBytes: 20_000, window: 16, backlogMessagesPerS: undefined },
      outbox: { maxBytes: 1_000_000, commitDelayMs: 100 },
    },
    {
      env: { clock, random: createSimRandom(1), disk: createSimDisk().boot() },
      log: silentLog(),
      devices,
      onFatal: () => undefined,
      connect: (will): MqttConnection => {
        const closed = new Promise<Error>((resolve) => {
          cut = (reason) => {
            receive(will.topic, will.payload);
            resolve(reason);
          };
        });
        const refusal = new Error('the network is down');
        return {
          connected: isCut ? Promise.reject(refusal) : Promise.resolve(),
          closed: isCut ? Promise.resolve(refusal) : closed,
          publish: async (topic, payload) => receive(topic, payload),
          subscribe: async () => undefined,
          ping: async () => undefined,
          isConnectSent: () => !isCut,
          disconnect: async () => undefined,
          destroy: () => undefined,
        };
      },
    },
  );
  await clock.drive(delivery.start());
  for (const id of edge.devices) delivery.deviceChanged(id, true);
  for (let second = 0; second < edge.seconds; second++) {
    const wasCut = isCut;
    isCut = edge.cuts.some(([fromS, toS]) => second >= fromS && second < toS);
    if (isCut && !wasCut) cut(new Error('the network is down'));
    if (second % reportEveryS === 0) {
      for (const id of edge.devices)
        void delivery.report(id, [{ metric, value: 30 + (second % 7), timestampMs: clock.now(), quality: 192 }]);
    }
    await clock.advance(1000);
  }
}
