import { setMaxListeners } from 'node:events';
import type { LogBus } from '@nhip/core/log/log-bus';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { decodeLossReport, type LossReport } from '@nhip/core/wire/loss';
import { decodeIdentity, outboxLossMetric } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { MetricDefinition } from '../../driver.ts';
import { type Outbox, openOutbox } from '../../outbox/outbox.ts';
import { createDeviceTable, type DeviceTable } from '../../session/device-table.ts';
import type { SessionLink } from '../../session/session-link.ts';
import { createPublisher, type Publisher } from '../publisher.ts';

const number: MetricDefinition = { name: 'N', dataType: 'Double' };
const definitions = new Map([['N', number]]);

export interface Sent {
  readonly device: string;
  readonly seq: number;
  readonly values: readonly unknown[];
  readonly isHistorical: boolean;
  readonly payload: ReturnType<typeof decodePayload>;
  acknowledge(): void;
}

/** A session at the wire: takes payloads, acknowledges when told to; loss reports at once, unless told not to. */
export function createLink() {
  const ended = new AbortController();
  setMaxListeners(0, ended.signal);
  const sent: Sent[] = [];
  const reports: LossReport[] = [];
  let isHolding = false;
  let isDead = false;
  let rebirths = 0;
  let refusals = 0;
  let sparkplugSeq = 0;
  const link: SessionLink = {
    signal: ended.signal,
    publishNode: (metrics) => {
      const [loss] = metrics;
      if (loss?.name !== outboxLossMetric || typeof loss.value !== 'string') throw new Error('no loss report');
      reports.push(decodeLossReport(loss.value));
      return new Promise((resolve, reject) => {
        ended.signal.addEventListener('abort', () => reject(new Error('session ended')));
        if (!isHolding) resolve();
      });
    },
    alive: () =>
      isDead
        ? new Promise((_, reject) => ended.signal.addEventListener('abort', () => reject(new Error('session ended'))))
        : Promise.resolve(),
    rebirth: () => {
      rebirths++;
    },
    publish: (device, encode) =>
      new Promise((resolve, reject) => {
        if (refusals > 0) {
          refusals--;
          reject(new Error('not now'));
          return;
        }
        const payload = decodePayload(encode(sparkplugSeq++));
        const [identity, ...samples] = payload.metrics;
        if (!(identity?.value instanceof Uint8Array)) throw new Error('the first metric is not the identity');
        ended.signal.addEventListener('abort', () => reject(new Error('session ended')));
        sent.push({
          device,
          seq: decodeIdentity(identity.value, 0, identity.value.length).seq,
          values: samples.map(({ value }) => value),
          isHistorical: samples.every((metric) => metric.isHistorical === true),
          payload,
          acknowledge: resolve,
        });
      }),
  };
  return {
    link,
    sent,
    reports,
    holdReports: () => {
      isHolding = true;
    },
    rebirths: () => rebirths,
    refuse: (times: number) => {
      refusals = times;
    },
    /** From now on no ping is answered. */
    die: () => {
      isDead = true;
    },
    end: () => ended.abort(),
  };
}

export async function createRig(
  options: { window?: number; backlogMessagesPerS?: number; holdMs?: number; maxBytes?: number; log?: (log: LogBus) => LogBus } = {},
) {
  const sim = createSimDisk();
  const clock = createSimClock();
  const random = createSimRandom(1);
  const open = () =>
    openOutbox(
      { clock, random, disk: sim.boot() },
      'outbox',
      { maxBytes: options.maxBytes ?? 4_194_304, commitDelayMs: 0, maxRecordBytes: 100_000, ledgerSlotBytes: 16_384 },
      {
        log: silentLog(),
        onFatal: () => undefined,
      },
    );
  let outbox = await clock.drive(open());
  const make = (devices: DeviceTable): Publisher =>
    createPublisher(
      { window: options.window ?? 8, backlogMessagesPerS: options.backlogMessagesPerS, holdMs: options.holdMs },
      { clock, log: silentLog(), outbox: { ...outbox, log: options.log?.(outbox.log) ?? outbox.log }, devices },
    );
  const devices = createDeviceTable();
  devices.add({ id: 'd', intervalMs: 0 }, [number]);
  const append = (value: number, device = 'd'): Promise<void> =>
    outbox.append(device, [{ metric: 'N', value, timestampMs: 1000 + value, quality: 192 }], definitions);
  return {
    clock,
    sim,
    devices,
    append,
    outbox: (): Outbox => outbox,
    publisher: make(devices),
    make,
    async restart() {
      await outbox.close();
      outbox = await clock.drive(open());
      return make(devices);
    },
  };
}
