import type { LogBus } from '@nhip/core/log/log-bus';
import { RetryableError } from '@nhip/core/process/errors';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { describe, expect, it } from 'vitest';
import { createDeviceTable } from '../session/device-table.ts';
import { createLink, createRig } from './testing/rig.ts';

describe('the publisher', () => {
  it('sends what is new as live and what waited as historical, at its rate, with the numbers of the outbox', async () => {
    const { clock, append, publisher } = await createRig({ window: 16, backlogMessagesPerS: 100 });
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
    const { clock, append, publisher } = await createRig({ window: 3 });
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
    const { clock, append, publisher } = await createRig();
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
    expect(publisher.counts()).toEqual({ published: 6, inFlight: 0 });
    second.end();
    await clock.drive(again);
  });

  it('keeps its place over a restart, in the cursor of the log', async () => {
    const { clock, append, publisher, restart } = await createRig();
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
    const { clock, append, make } = await createRig();
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
    const { clock, append, make } = await createRig();
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
    const { clock, append, publisher } = await createRig();
    await append(1);
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(20);
    expect(sent[0]?.payload.metrics[1]).toMatchObject({ name: undefined, dataType: undefined, timestampMs: 1001 });
    expect(sent[0]?.payload.metrics[1]?.alias).toBeGreaterThan(0);
    end();
    await clock.drive(running);
  });

  it('leaves an unreadable record out', async () => {
    const { clock, append, publisher, outbox } = await createRig();
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
    const { clock, append, publisher } = await createRig();
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
    const { clock, append, publisher } = await createRig({ log: failing });
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
