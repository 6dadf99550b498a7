import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { streamText } from '@nhip/core/wire/outbox-identity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outbox } from './outbox.ts';
import { decodeOutboxRecord } from './record.ts';
import { definitions, drainReports, openSimOutbox, readings, recordsFrom } from './testing/rig.ts';

async function filled(count: number, options: { readonly maxBytes?: number } = {}) {
  const sim = createSimDisk();
  const opened = await openSimOutbox(sim, options);
  for (let i = 0; i < count; i++)
    await opened.outbox.append('d', readings('N', ...Array.from({ length: 1 + (i % 3) }, () => i)), definitions);
  const [record] = await recordsFrom(opened.outbox);
  return { sim, ...opened, stream: record?.stream ?? '', end: opened.outbox.counts().recorded };
}

async function resent(outbox: Outbox, stream: string, from: number, to: number): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { record, seq, end } of outbox.resend({ stream, from, to })) {
    expect(decodeOutboxRecord(record.payload)).toMatchObject({ seq });
    for (let i = seq; i < end; i++) seqs.push(i);
  }
  return seqs;
}

describe('numbers that the server asks for again', () => {
  it('are found wherever they are, with the records around them', async () => {
    const { outbox, stream, end } = await filled(200, { maxBytes: 100_000 });
    outbox.acks.acknowledge(0, 200);
    await fc.assert(
      fc.asyncProperty(fc.nat(end - 1), fc.integer({ min: 1, max: 40 }), async (from, count) => {
        const to = Math.min(from + count, end);
        const seqs = await resent(outbox, stream, from, to);
        for (let seq = from; seq < to; seq++) expect(seqs).toContain(seq);
        expect(seqs.length).toBeLessThan(to - from + 5);
      }),
      { numRuns: 60 },
    );
  });

  it('become a loss when they are gone, for exactly the numbers that nobody accounts for', async () => {
    const { outbox, clock, stream } = await filled(600);
    const [first] = await recordsFrom(outbox);
    const gone = first?.seq ?? 0;
    expect(gone).toBeGreaterThan(10);
    const [evicted] = await drainReports(outbox, clock);
    expect(evicted).toMatchObject({ reason: 'outboxQuota', seqFrom: 0, seqTo: gone });
    outbox.acks.acknowledge(0, 600);
    expect((await resent(outbox, stream, 5, gone + 4))[0]).toBe(gone);
    expect(await drainReports(outbox, clock)).toMatchObject([{ reason: 'outboxGone', stream, seqFrom: 5, seqTo: gone, rows: [] }]);
  });

  it('are left to the report that is pending, and to the ordinary lanes', async () => {
    const { outbox, clock, stream } = await filled(600);
    expect(await resent(outbox, stream, 0, 100_000)).toEqual([]);
    expect((await drainReports(outbox, clock)).map(({ reason }) => reason)).toEqual(['outboxQuota']);
  });

  it('are never taken for gone when they were not given yet', async () => {
    const { outbox, clock, stream, end } = await filled(5);
    outbox.acks.acknowledge(0, 5);
    expect(await resent(outbox, stream, 3, Number.MAX_SAFE_INTEGER)).toHaveLength(end - 3);
    expect(await resent(outbox, stream, end, end + 10)).toEqual([]);
    expect(await drainReports(outbox, clock)).toEqual([]);
  });

  it('are found in an older stream, and gone in one that nobody knows', async () => {
    const { sim, outbox, stream, end } = await filled(5);
    await outbox.log.append(Uint8Array.of(1, 2, 3));
    await outbox.close();
    const next = await openSimOutbox(sim);
    await next.outbox.append('d', readings('N', 1, 2), definitions);
    next.outbox.acks.acknowledge(0, 10);
    expect(await resent(next.outbox, stream, 0, end)).toHaveLength(end);
    const unknown = streamText(new Uint8Array(16));
    expect(await resent(next.outbox, unknown, 7, 9)).toEqual([]);
    const reports = await drainReports(next.outbox, next.clock);
    expect(reports.filter(({ reason }) => reason === 'outboxGone')).toMatchObject([{ stream: unknown, seqFrom: 7, seqTo: 9 }]);
  });
});

describe('what is released', () => {
  it('is everything below the first record that was not acknowledged', async () => {
    const { outbox, stream, end } = await filled(10);
    expect(await outbox.released()).toEqual({ stream, seq: 0 });
    outbox.acks.acknowledge(3, 5);
    await outbox.commitAcks();
    expect(await outbox.released()).toEqual({ stream, seq: 0 });
    outbox.acks.acknowledge(0, 3);
    await outbox.commitAcks();
    expect(await outbox.released()).toEqual({ stream, seq: 9 });
    outbox.acks.acknowledge(0, 10);
    await outbox.commitAcks();
    expect(await outbox.released()).toEqual({ stream, seq: end });
  });

  it('does not pass a loss before its report was acknowledged', async () => {
    const { outbox, clock, stream, end } = await filled(600);
    outbox.acks.acknowledge(0, 600);
    await outbox.commitAcks();
    expect(await outbox.released()).toEqual({ stream, seq: 0 });
    const report = await outbox.nextReport();
    expect(await outbox.released()).toEqual({ stream, seq: 0 });
    outbox.acknowledgeReport(report?.no ?? 0);
    expect(await outbox.released()).toEqual({ stream, seq: 0 });
    await drainReports(outbox, clock);
    expect(await outbox.released()).toEqual({ stream, seq: end });
  });

  it('goes up to what was only counted behind the last record: the server must be able to miss the report of that', async () => {
    const { sim, outbox, clock, stream, end } = await filled(5);
    outbox.acks.acknowledge(0, 5);
    await outbox.commitAcks();
    sim.setCapacity(0);
    await outbox.append('d', readings('N', 1, 2), definitions);
    expect(await outbox.released()).toEqual({ stream, seq: end });
    await drainReports(outbox, clock);
    expect(await outbox.released()).toEqual({ stream, seq: end + 2 });
  });

  it('is known in an empty outbox, and after a restart', async () => {
    const sim = createSimDisk();
    const first = await openSimOutbox(sim);
    const empty = await first.outbox.released();
    expect(empty?.seq).toBe(0);
    await first.outbox.append('d', readings('N', 1, 2, 3), definitions);
    first.outbox.acks.acknowledge(0, 1);
    expect(await first.outbox.released()).toEqual(empty);
    await first.outbox.commitAcks();
    await first.outbox.close();
    const second = await openSimOutbox(sim);
    expect(await second.outbox.released()).toEqual({ stream: empty?.stream, seq: 3 });
  });

  it('stays in an older stream until nothing of it is left', async () => {
    const { sim, outbox, stream } = await filled(5);
    await outbox.log.append(Uint8Array.of(1, 2, 3));
    await outbox.close();
    const { outbox: next } = await openSimOutbox(sim);
    await next.append('d', readings('N', 1), definitions);
    next.acks.acknowledge(6, 7);
    await next.commitAcks();
    expect(await next.released()).toEqual({ stream, seq: 0 });
    next.acks.acknowledge(0, 6);
    await next.commitAcks();
    const released = await next.released();
    expect(released?.stream).not.toBe(stream);
    expect(released?.seq).toBe(1);
  });
});
