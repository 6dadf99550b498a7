import type { LogBus } from '@nhip/core/log/log-bus';
import { RetryableError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { decodeIdentity } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { describe, expect, it } from 'vitest';
import type { MetricDefinition } from '../driver.ts';
import { type Outbox, openOutbox, publisherReader } from '../outbox/outbox.ts';
import { createDeviceTable, type DeviceTable } from '../session/device-table.ts';
import { createPublisher, type Publisher, type SessionLink } from './publisher.ts';

const number: MetricDefinition = { name: 'N', dataType: 'Double' };
const definitions = new Map([['N', number]]);

interface Sent {
  readonly device: string;
  readonly seq: number;
  readonly values: readonly unknown[];
  readonly isHistorical: boolean;
  readonly payload: ReturnType<typeof decodePayload>;
  acknowledge(): void;
}

/** A session at the wire: takes payloads, acknowledges when told to. */
function createLink() {
  const ended = new AbortController();
  const sent: Sent[] = [];
  let rebirths = 0;
  let refusals = 0;
  let sparkplugSeq = 0;
  const link: SessionLink = {
    signal: ended.signal,
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
    rebirths: () => rebirths,
    refuse: (times: number) => {
      refusals = times;
    },
    end: () => ended.abort(),
  };
}

async function rig(options: { window?: number; backlogMessagesPerS?: number; log?: (log: LogBus) => LogBus } = {}) {
  const sim = createSimDisk();
  const clock = createSimClock();
  const open = () =>
    openOutbox(
      { clock, random: createSimRandom(1), disk: sim.boot() },
      'outbox',
      { maxBytes: 4_194_304, commitDelayMs: 0, maxRecordBytes: 100_000 },
      {
        log: silentLog(),
        onFatal: () => undefined,
      },
    );
  let outbox = await open();
  const make = (devices: DeviceTable): Publisher =>
    createPublisher(
      { window: options.window ?? 8, backlogMessagesPerS: options.backlogMessagesPerS ?? 1000 },
      { clock, log: silentLog(), outbox: { ...outbox, log: options.log?.(outbox.log) ?? outbox.log }, devices },
    );
  const devices = createDeviceTable();
  devices.add({ id: 'd', intervalMs: 0 }, [number]);
  const append = (value: number, device = 'd'): Promise<void> =>
    outbox.append(device, [{ metric: 'N', value, timestampMs: 1000 + value, quality: 192 }], definitions);
  return {
    clock,
    devices,
    append,
    outbox: (): Outbox => outbox,
    publisher: make(devices),
    make,
    async restart() {
      await outbox.close();
      outbox = await open();
      return make(devices);
    },
  };
}

describe('the publisher', () => {
  it('sends what is new as live and what waited as historical, at its rate, with the numbers of the outbox', async () => {
    const { clock, append, publisher } = await rig({ backlogMessagesPerS: 100 });
    for (let i = 0; i < 5; i++) await append(i);
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(0);
    expect(sent.map(({ seq }) => seq)).toEqual([0]);
    await append(5);
    await clock.advance(0);
    expect(sent.map(({ seq, isHistorical }) => [seq, isHistorical])).toEqual([
      [0, true],
      [5, false],
    ]);
    await clock.advance(50);
    expect(sent.map(({ seq }) => seq)).toEqual([0, 5, 1, 2, 3, 4]);
    expect(sent.map(({ values }) => values)).toEqual([[0], [5], [1], [2], [3], [4]]);
    end();
    await clock.drive(running);
  });

  it('has at most a window of messages under way', async () => {
    const { clock, append, publisher } = await rig({ window: 3 });
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    for (let i = 0; i < 10; i++) await append(i);
    await clock.advance(5);
    expect(sent).toHaveLength(3);
    sent[1]?.acknowledge();
    await clock.advance(5);
    expect(sent.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    expect(publisher.pendingRecords()).toBe(10);
    sent[0]?.acknowledge();
    await clock.advance(5);
    expect(publisher.pendingRecords()).toBe(8);
    end();
    await clock.drive(running);
  });

  it('sends in the next session what the last one did not acknowledge, and nothing else', async () => {
    const { clock, append, publisher } = await rig();
    const first = createLink();
    const running = publisher.run(first.link);
    for (let i = 0; i < 6; i++) await append(i);
    await clock.advance(5);
    for (const i of [0, 1, 3]) first.sent[i]?.acknowledge();
    await clock.advance(5);
    first.end();
    await clock.drive(running);
    const second = createLink();
    const again = publisher.run(second.link);
    await clock.advance(20);
    expect(second.sent.map(({ seq, isHistorical }) => [seq, isHistorical])).toEqual([
      [2, true],
      [4, true],
      [5, true],
    ]);
    for (const { acknowledge } of second.sent) acknowledge();
    await clock.advance(5);
    expect(publisher.pendingRecords()).toBe(0);
    expect(publisher.counts()).toEqual({ published: 6, goneRecords: 0 });
    second.end();
    await clock.drive(again);
  });

  it('keeps its place over a restart, in the cursor of the log', async () => {
    const { clock, append, publisher, restart } = await rig();
    const first = createLink();
    const running = publisher.run(first.link);
    for (let i = 0; i < 4; i++) await append(i);
    await clock.advance(5);
    for (const i of [0, 1, 3]) first.sent[i]?.acknowledge();
    await clock.advance(2000);
    first.end();
    await clock.drive(running);
    const second = await restart();
    const { link, sent, end } = createLink();
    const again = second.run(link);
    await clock.advance(20);
    // Number 3 is sent twice: only what is below the cursor is known to be done. Ingest drops it by its number.
    expect(sent.map(({ seq }) => seq)).toEqual([2, 3]);
    end();
    await clock.drive(again);
  });

  it('declares metrics and devices that the configuration no longer has, and asks for a birth before it sends them', async () => {
    const { clock, append, make } = await rig();
    await append(1, 'gone');
    await append(2, 'd');
    await append(3, 'gone');
    const devices = createDeviceTable();
    devices.add({ id: 'd', intervalMs: 0 }, [{ name: 'Other', dataType: 'Double' }]);
    const { link, sent, rebirths, end } = createLink();
    const running = make(devices).run(link);
    await clock.advance(20);
    expect(sent.map(({ device, values }) => [device, values])).toEqual([
      ['gone', [1]],
      ['d', [2]],
      ['gone', [3]],
    ]);
    expect(rebirths()).toBe(2);
    expect(devices.birthMetrics('gone', 0).map(({ name }) => name)).toEqual(['Outbox/Identity', 'N']);
    expect(devices.birthMetrics('d', 0).map(({ name }) => name)).toEqual(['Outbox/Identity', 'Other', 'N']);
    end();
    await clock.drive(running);
  });

  it('sends the type along when the birth tells another one: an old record must not be misread', async () => {
    const { clock, append, make } = await rig();
    await append(1.5);
    const devices = createDeviceTable();
    devices.add({ id: 'd', intervalMs: 0 }, [{ name: 'N', dataType: 'Int32' }]);
    const { link, sent, end } = createLink();
    const running = make(devices).run(link);
    await clock.advance(20);
    expect(sent[0]?.payload.metrics[1]).toMatchObject({ dataType: dataType.Double, value: 1.5 });
    end();
    await clock.drive(running);
  });

  it('tck-id-payloads-metric-datatype-not-req: sends aliases only, neither names nor types', async () => {
    const { clock, append, publisher } = await rig();
    await append(1);
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(20);
    expect(sent[0]?.payload.metrics[1]).toMatchObject({ name: undefined, dataType: undefined, timestampMs: 1001 });
    expect(sent[0]?.payload.metrics[1]?.alias).toBeGreaterThan(0);
    end();
    await clock.drive(running);
  });

  it('does not wait for records that are gone', async () => {
    const holes = (log: LogBus): LogBus => ({
      ...log,
      read: async (index, options) => (await log.read(index, options)).filter((record) => ![0, 1, 3, 5].includes(record.index)),
    });
    const { clock, append, publisher, outbox } = await rig({ log: holes });
    for (let i = 0; i < 6; i++) await append(i);
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(20);
    expect(sent.map(({ seq }) => seq)).toEqual([2, 4]);
    for (const { acknowledge } of sent) acknowledge();
    await clock.advance(2000);
    expect(publisher.pendingRecords()).toBe(0);
    expect(publisher.counts()).toEqual({ published: 2, goneRecords: 4 });
    expect(outbox().log.cursor(publisherReader)).toBe(6);
    end();
    await clock.drive(running);
  });

  it('leaves an unreadable record out', async () => {
    const { clock, append, publisher, outbox } = await rig();
    await append(0);
    await outbox().log.append(Uint8Array.of(1, 2, 3));
    await append(1);
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(20);
    for (const { acknowledge } of sent) acknowledge();
    await clock.advance(5);
    expect(sent.map(({ values }) => values)).toEqual([[0], [1]]);
    expect(publisher.pendingRecords()).toBe(0);
    end();
    await clock.drive(running);
  });

  it('tries a message again that the session did not take, without a new session', async () => {
    const { clock, append, publisher } = await rig();
    const { link, sent, refuse, end } = createLink();
    const running = publisher.run(link);
    refuse(2);
    await append(0);
    await clock.advance(10);
    expect(sent).toEqual([]);
    await clock.advance(2100);
    expect(sent.map(({ seq }) => seq)).toEqual([0]);
    end();
    await clock.drive(running);
  });

  it('stays in the session when the disk fails to read or to keep its place', async () => {
    let reads = 0;
    const failing = (log: LogBus): LogBus => ({
      ...log,
      read: (index, options) => (reads++ < 3 ? Promise.reject(new RetryableError('log.readFailed', 'EIO')) : log.read(index, options)),
      commit: () => Promise.reject(new RetryableError('log.diskFull', 'no room')),
    });
    const { clock, append, publisher } = await rig({ log: failing });
    await append(0);
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(2500);
    sent[0]?.acknowledge();
    await clock.advance(5000);
    expect(publisher.counts().published).toBe(1);
    end();
    await clock.drive(running);
  });
});
