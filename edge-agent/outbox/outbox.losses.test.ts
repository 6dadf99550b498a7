import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { decodeLossReport, encodeLossReport } from '@nhip/core/wire/loss';
import { describe, expect, it } from 'vitest';
import { definitions, drainReports, openSimOutbox, readings, recordsFrom, samplesOf, smallConfig, startMs } from './testing/rig.ts';

describe('what the outbox gives up', () => {
  it('is reported by number, device, metric and hour when the quota takes it', async () => {
    const { outbox, clock } = await openSimOutbox(createSimDisk(), { ledgerSlotBytes: 20_000 });
    for (let i = 0; i < 400; i++) {
      const device = i % 2 === 0 ? 'a' : 'b';
      await outbox.append(device, [{ metric: 'N', value: i, timestampMs: startMs + 60_000 * i, quality: 192 }], definitions);
    }
    const records = await recordsFrom(outbox);
    const first = records[0]?.seq ?? 0;
    expect(first).toBeGreaterThan(62);
    expect(outbox.counts()).toEqual({ recorded: 400, lost: first });
    expect(outbox.acks.cursor()).toBe(first);
    const reports = await drainReports(outbox, clock);
    for (const report of reports) expect(decodeLossReport(encodeLossReport(report))).toEqual(report);
    expect(reports[0]).toMatchObject({ reason: 'outboxQuota', seqFrom: 0, fromMs: startMs });
    expect(reports.at(-1)).toMatchObject({ seqTo: first, toMs: startMs + 60_000 * (first - 1) });
    expect(samplesOf(reports)).toBe(first);
    const rows = reports.flatMap((report) => report.rows);
    expect(rows.reduce((sum, { samples }) => sum + samples, 0)).toBe(first);
    const hour = rows.filter(({ device, fromMs }) => device === 'b' && fromMs < startMs + 3_600_000);
    expect(hour).toEqual([{ device: 'b', metric: 'N', samples: 30, fromMs: startMs + 60_000, toMs: startMs + 59 * 60_000 }]);
  });

  it('leaves acknowledged records out', async () => {
    const { outbox, clock } = await openSimOutbox(createSimDisk());
    for (let i = 0; i < 20; i++) await outbox.append('d', readings('N', i), definitions);
    outbox.acks.acknowledge(3, 5);
    for (let i = 20; i < 400; i++) await outbox.append('d', readings('N', i), definitions);
    const reports = await drainReports(outbox, clock);
    expect(reports.map(({ seqFrom, seqTo }) => [seqFrom, seqTo])).toEqual([
      [0, 3],
      [5, (await recordsFrom(outbox))[0]?.seq],
    ]);
  });

  it('is counted while the disk is full, and samples are taken again when there is room', async () => {
    const sim = createSimDisk();
    const { outbox, clock } = await openSimOutbox(sim);
    await outbox.append('d', readings('N', 1), definitions);
    sim.setCapacity(0);
    for (let i = 0; i < 50; i++) {
      await outbox.append('d', readings('N', 2, 3), definitions);
      await clock.advance(500);
    }
    expect(outbox.counts()).toEqual({ recorded: 1, lost: 100 });
    sim.setCapacity(1e9);
    await clock.advance(1000);
    await clock.drive(outbox.append('d', readings('N', 4), definitions));
    expect(outbox.counts()).toEqual({ recorded: 2, lost: 100 });
    expect((await recordsFrom(outbox)).map(({ seq }) => seq)).toEqual([0, 101]);
    const reports = await drainReports(outbox, clock);
    expect(reports).toMatchObject([{ reason: 'outboxFull', seqFrom: 1, seqTo: 101, rows: [{ device: 'd', metric: 'N', samples: 100 }] }]);
  });

  it('is on disk in time: a full disk and a power cut leave no number uncounted', async () => {
    const sim = createSimDisk();
    const first = await openSimOutbox(sim);
    await first.outbox.append('d', readings('N', 1), definitions);
    sim.setCapacity(0);
    await first.outbox.append('d', readings('N', 2, 3), definitions);
    await first.clock.advance(3000);
    sim.crash(createSimRandom(1));
    sim.setCapacity(1e9);
    const { outbox, clock } = await openSimOutbox(sim);
    await outbox.append('d', readings('N', 4), definitions);
    expect((await recordsFrom(outbox)).map(({ seq }) => seq)).toEqual([0, 3]);
    const reports = await drainReports(outbox, clock);
    expect(reports.filter(({ reason }) => reason === 'outboxFull')).toMatchObject([{ seqFrom: 1, seqTo: 3 }]);
  });

  it('stays bounded over days of a full disk, and keeps the exact number', async () => {
    const sim = createSimDisk();
    const { outbox, clock } = await openSimOutbox(sim);
    sim.setCapacity(0);
    let lost = 0;
    for (let hour = 0; hour < 240; hour++) {
      const sample = { metric: `Metric with a long name ${hour % 7}`, value: 1, timestampMs: clock.now(), quality: 192 } as const;
      await outbox.append(`device ${hour % 5}`, [sample, sample], definitions);
      lost += 2;
      await clock.advance(3_600_000);
    }
    expect(outbox.counts().lost).toBe(lost);
    const ledger = sim.content('outbox/losses');
    expect(ledger.length).toBe(2 * (smallConfig.ledgerSlotBytes ?? 0));
    const reports = await drainReports(outbox, clock);
    expect(samplesOf(reports)).toBe(lost);
    expect(reports.length).toBeLessThan(60);
  });

  it('has numbers also when a value can never be sent: they are taken with the report, not one by one', async () => {
    const sim = createSimDisk();
    const { outbox, clock } = await openSimOutbox(sim);
    await clock.advance(6000);
    for (let i = 0; i < 30; i++) {
      await outbox.append('d', [...readings('N', i), ...readings('I', 1.5)], definitions);
      await clock.advance(1000);
    }
    await outbox.append('d', readings('S', 'x'.repeat(17_000)), definitions);
    expect((await recordsFrom(outbox)).map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(outbox.counts()).toEqual({ recorded: 30, lost: 31 });
    const reports = await drainReports(outbox, clock);
    expect(reports).toMatchObject([
      { reason: 'unfitValue', seqFrom: 30, seqTo: 60, rows: [{ device: 'd', metric: 'I', samples: 30 }] },
      { reason: 'oversizedValue', seqFrom: 60, seqTo: 61, rows: [{ device: 'd', metric: 'S', samples: 1 }] },
    ]);
    await outbox.append('d', readings('N', 30), definitions);
    expect((await recordsFrom(outbox)).at(-1)?.seq).toBe(61);
  });

  it('leaves no hole below its numbers when the power fails before the records below them are on disk', async () => {
    const sim = createSimDisk();
    const { outbox, clock } = await openSimOutbox(sim, { commitDelayMs: 500 });
    await clock.drive(outbox.append('d', readings('N', 0), definitions));
    await outbox.append('d', readings('I', 1.5), definitions);
    void outbox.append('d', readings('N', 1), definitions);
    void outbox.nextReport();
    await clock.advance(400);
    sim.crash(createSimRandom(1));
    const next = await openSimOutbox(sim);
    await next.outbox.append('d', readings('N', 2), definitions);
    expect((await recordsFrom(next.outbox)).map(({ seq }) => seq)).toEqual([0, 1]);
    // Its own number comes with the report; that it was lost at all was not on disk.
    expect(samplesOf(await drainReports(next.outbox, next.clock))).toBe(0);
  });

  it('is told by its neighbours when the disk damaged records', async () => {
    const sim = createSimDisk();
    const { outbox, clock } = await openSimOutbox(sim);
    for (let i = 0; i < 10; i++) await outbox.append('d', readings('N', i, i), definitions);
    const path = sim.files().find((name) => name.endsWith('.log')) ?? '';
    const size = sim.content(path).length;
    sim.flipBit(path, { next: () => 0, bytes: () => new Uint8Array(0) }, Math.floor(size / 2));
    const there = (await recordsFrom(outbox)).map(({ index }) => index);
    expect(there).toHaveLength(9);
    const missing = Array.from({ length: 10 }, (_, i) => i).find((i) => !there.includes(i)) ?? -1;
    outbox.acks.acknowledge(0, missing);
    await outbox.missing(missing, missing + 1);
    expect(outbox.acks.cursor()).toBe(missing + 1);
    const reports = await drainReports(outbox, clock);
    expect(reports).toMatchObject([{ reason: 'outboxDamaged', seqFrom: 2 * missing, seqTo: 2 * missing + 2, rows: [] }]);
    expect(outbox.counts().lost).toBe(2);
  });

  it('is the time when the agent did not run, unless the outbox is new', async () => {
    const sim = createSimDisk();
    const first = await openSimOutbox(sim);
    expect(await drainReports(first.outbox, first.clock)).toEqual([]);
    await first.outbox.append('d', readings('N', 1), definitions);
    await first.outbox.close();
    const stoppedMs = first.clock.now();
    first.clock.jump(3_600_000);
    const second = await openSimOutbox(sim, {}, first.clock);
    const down = { reason: 'agentDown', fromMs: stoppedMs, toMs: stoppedMs + 3_600_000, rows: [], seqFrom: 1, seqTo: 1 };
    expect(await drainReports(second.outbox, second.clock)).toMatchObject([down]);
    await second.clock.advance(10_000);
    const sampleMs = second.clock.now();
    await second.outbox.append('d', [{ metric: 'N', value: 1, timestampMs: sampleMs, quality: 192 }], definitions);
    sim.crash(createSimRandom(1));
    second.clock.jump(60_000);
    const third = await openSimOutbox(sim, {}, second.clock);
    const reports = await drainReports(third.outbox, third.clock);
    expect(reports.at(-1)).toMatchObject({ reason: 'agentDown', fromMs: sampleMs, toMs: sampleMs + 60_000 });
  });

  it('keeps a restart loop to a few spans of downtime', async () => {
    const sim = createSimDisk();
    for (let i = 0; i < 100; i++) {
      const { outbox } = await openSimOutbox(sim);
      if (i === 0) await outbox.append('d', readings('N', 1), definitions);
      await outbox.close();
    }
    const { outbox, clock } = await openSimOutbox(sim);
    expect((await drainReports(outbox, clock)).length).toBeLessThan(20);
  });
});
