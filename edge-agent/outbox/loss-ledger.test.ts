import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LossEntries, type LossEntry } from './loss-entries.ts';
import { LossLedger } from './loss-ledger.ts';
import { LossTally, tallyLimits } from './loss-tally.ts';
import { SlotFile } from './slot-file.ts';

const stream = 'ab'.repeat(16);
const limits = tallyLimits(16_384);
const neverNumbers = (): never => {
  throw new Error('no numbers are needed');
};

async function open(sim: SimDisk, slotBytes = 4000) {
  const clock = createSimClock();
  const env = { clock, random: createSimRandom(1), disk: sim.boot() };
  const ledger = await LossLedger.open(env, 'outbox', { limits, slotBytes, log: silentLog(), onFatal: () => undefined });
  return { ledger, clock };
}

function entry(seqFrom: number, seqTo: number, metric = 'N', reason: LossEntry['reason'] = 'outboxQuota'): LossEntry {
  const tally = new LossTally();
  for (let seq = seqFrom; seq < seqTo; seq++) tally.add('d', metric, 1000 * seq);
  return { reason, stream, seqFrom, seqTo, tally };
}

describe('the loss ledger', () => {
  it('tells numbers that follow each other as one, and keeps reasons and holes apart', async () => {
    const { ledger } = await open(createSimDisk());
    for (const [from, to] of [
      [0, 5],
      [5, 9],
      [20, 22],
      [22, 23],
    ] as const) {
      ledger.add(entry(from, to));
    }
    ledger.add(entry(23, 25, 'N', 'outboxFull'));
    expect(ledger.pending().map(({ reason, seqFrom, seqTo }) => [reason, seqFrom, seqTo])).toEqual([
      ['outboxQuota', 0, 9],
      ['outboxQuota', 20, 23],
      ['outboxFull', 23, 25],
    ]);
  });

  it('sends a report under the same number until it is acknowledged, over restarts, and leaves it as it is', async () => {
    const sim = createSimDisk();
    const first = await open(sim);
    first.ledger.beginStream('log', { stream, firstIndex: 0 });
    first.ledger.add(entry(0, 5));
    const report = await first.ledger.nextReport(neverNumbers);
    first.ledger.add(entry(5, 7));
    expect(await first.ledger.nextReport(neverNumbers)).toEqual(report);
    await first.ledger.sync();
    sim.crash(createSimRandom(1));
    const second = await open(sim);
    expect(await second.ledger.nextReport(neverNumbers)).toEqual(report);
    second.ledger.acknowledge(report?.no ?? -1);
    const next = await second.ledger.nextReport(neverNumbers);
    expect(next).toMatchObject({ ledger: report?.ledger, seqFrom: 5, seqTo: 7 });
    expect(next?.no).toBeGreaterThan(report?.no ?? 0);
    expect(second.ledger.highest).toBe(7);
    expect(second.ledger.current).toEqual({ stream, firstIndex: 0 });
  });

  it('drops detail when its file is full, never a number', async () => {
    const sim = createSimDisk();
    const { ledger, clock } = await open(sim);
    ledger.beginStream('log', { stream, firstIndex: 0 });
    for (let i = 0; i < 300; i++) {
      ledger.add(entry(10 * i, 10 * i + 10, `a metric with a long name ${i}`));
      await ledger.sync();
    }
    expect(sim.content('outbox/losses').length).toBe(8000);
    const again = await open(sim);
    let next = 0;
    for (let quiet = 0; quiet < 2; ) {
      const report = await again.ledger.nextReport(neverNumbers);
      if (report === undefined) quiet++;
      else {
        quiet = 0;
        expect(report.seqFrom).toBe(next);
        next = report.seqTo;
        again.ledger.acknowledge(report.no);
      }
      await again.clock.advance(6000);
    }
    expect(next).toBe(3000);
    await clock.advance(0);
  });

  it('says so when nothing can be told as one any more, and keeps what it has', async () => {
    const { ledger } = await open(createSimDisk());
    ledger.beginStream('log', { stream, firstIndex: 0 });
    for (let i = 0; i < 200; i++) ledger.add(entry(10 * i, 10 * i + 1));
    await expect(ledger.sync()).rejects.toMatchObject({ code: 'outbox.ledgerFull' });
    expect(ledger.pending()).toHaveLength(200);
  });

  it('counts in memory while the disk has no room for a new file, and writes it when there is', async () => {
    const sim = createSimDisk();
    sim.setCapacity(100);
    const { ledger, clock } = await open(sim);
    ledger.beginStream('log', { stream, firstIndex: 0 });
    ledger.add(entry(0, 5));
    await expect(ledger.sync()).rejects.toMatchObject({ code: 'outbox.ledgerFull' });
    sim.setCapacity(1e6);
    ledger.add(entry(5, 6));
    await clock.advance(2500);
    sim.setCapacity(0);
    sim.crash(createSimRandom(1));
    expect((await open(sim)).ledger.pending()).toMatchObject([{ seqFrom: 0, seqTo: 6 }]);
  });

  it('needs no room on a full disk once it is there', async () => {
    const sim = createSimDisk();
    const { ledger } = await open(sim);
    ledger.beginStream('log', { stream, firstIndex: 0 });
    sim.setCapacity(0);
    ledger.add(entry(0, 50));
    await ledger.sync();
    sim.crash(createSimRandom(3));
    expect((await open(sim)).ledger.pending()).toMatchObject([{ seqFrom: 0, seqTo: 50 }]);
  });
});

describe('entries of the ledger', () => {
  it('keep every number over any joining and dropping of detail', () => {
    const part = fc.record({
      gap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3)),
      count: fc.integer({ min: 1, max: 6 }),
      metric: fc.constantFrom('a', 'b', 'c'),
      reason: fc.constantFrom('outboxQuota' as const, 'outboxQuota' as const, 'outboxFull' as const),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: part }, fc.constant('coarsen' as const)), { maxLength: 60 }), (steps) => {
        const entries = new LossEntries({ maxRows: 4, maxBytes: 10_000 });
        const lost = new Set<number>();
        let seq = 0;
        for (const step of steps) {
          if (step === 'coarsen') {
            entries.coarsen();
            continue;
          }
          seq += step.gap;
          entries.add(entry(seq, seq + step.count, step.metric, step.reason));
          for (let i = 0; i < step.count; i++) lost.add(seq++);
        }
        const told = entries.list.flatMap(({ seqFrom, seqTo }) => Array.from({ length: seqTo - seqFrom }, (_, i) => seqFrom + i));
        expect(told.sort((a, b) => a - b)).toEqual([...lost].sort((a, b) => a - b));
        for (const { seqFrom, seqTo, tally } of entries.list) {
          expect(tally.samples).toBe(seqTo - seqFrom);
          expect(tally.list().reduce((sum, { samples }) => sum + samples, 0)).toBeLessThanOrEqual(tally.samples);
        }
      }),
    );
  });
});

describe('a slot file', () => {
  it('has what was written last, or the value that was under way, wherever the power is cut', async () => {
    for (let operations = 1; operations < 40; operations++) {
      for (let seed = 0; seed < 10; seed++) {
        const sim = createSimDisk();
        let asked = 0;
        let written = 0;
        const life = async (): Promise<void> => {
          const disk = sim.boot();
          await disk.makeDir('x');
          const file = await SlotFile.open(disk, 'x', 'f', 700);
          for (asked = 1; asked <= 10; asked++) {
            await file.write(Buffer.alloc(600, asked));
            written = asked;
          }
        };
        await Promise.race([sim.crashAfter(operations, createSimRandom(seed)), life()]);
        sim.crash(createSimRandom(seed));
        const disk = sim.boot();
        await disk.makeDir('x');
        const { content } = await SlotFile.open(disk, 'x', 'f', 700);
        const value = content?.[0] ?? 0;
        expect(value === written || value === asked, `${value} after ${written}`).toBe(true);
        if (content !== undefined) expect(Buffer.alloc(600, value).equals(content)).toBe(true);
      }
    }
  });
});
