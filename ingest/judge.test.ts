import { createDecoder, type Decoded } from '@nhip/core/telemetry/decoder';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import { lossReport, namedIdentity, released, sparkplug, streamId } from '@nhip/core/telemetry/testing/messages';
import type { LossReport } from '@nhip/core/wire/loss';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBook } from './book.ts';
import { judgeMessage } from './judge.ts';
import { apportion, LossList, lossesOfReport } from './loss-rows.ts';

const atMs = 1_777_881_600_000;

/** A judge with its book, told what an edge says. */
function court() {
  let book = openBook();
  const decoder = createDecoder(new SeriesTable());
  const tell = (metrics: readonly Metric[], edge = 'e') => {
    const batch = new SampleBatch(new SeriesTable());
    const decoded: Decoded = decoder.decode(sparkplug(0, 'NDATA', '', undefined, metrics, { edge }), batch);
    const losses = new LossList();
    const { missing, repeats } = judgeMessage({ ...decoded, rejects: [] }, book, batch, { length: 0, texts: 0 }, losses, atMs);
    return { missing: missing.map(({ from, to }) => [from, to]), repeats, losses: losses.list() };
  };
  return {
    released: (seq: number, stream = 1, edge = 'e') => tell([released(stream, seq)], edge),
    data: (seq: number, count: number, stream = 1, edge = 'e') =>
      tell([namedIdentity(stream, seq), ...Array.from({ length: count }, () => ({ alias: 1, value: 1 }))], edge),
    report: (change: Partial<LossReport> = {}, edge = 'e') => tell([lossReport(reportOf(change))], edge).losses,
    restart() {
      book = openBook(book.snapshot('log'));
    },
  };
}

function reportOf(change: Partial<LossReport>): LossReport {
  const { seqFrom = 0, seqTo = seqFrom } = change;
  const base = { ledger: 'ab'.repeat(16), no: 0, reason: 'outboxQuota' as const, stream: streamId(1), fromMs: 5, toMs: 9, rows: [] };
  return { ...base, ...change, seqFrom, seqTo };
}

function counted(
  losses: readonly { readonly reason: string; readonly samples: number; readonly seqFrom: number; readonly seqTo: number }[],
) {
  return losses.map(({ reason, samples, seqFrom, seqTo }) => [reason, samples, seqFrom, seqTo]);
}

describe('what an edge released', () => {
  it('and this server does not have is missing, until it comes or is given up', () => {
    const it = court();
    expect(it.released(0).missing).toEqual([]);
    it.data(0, 3);
    it.data(7, 3);
    expect(it.released(5).missing).toEqual([[3, 5]]);
    it.restart();
    expect(it.released(12).missing).toEqual([
      [3, 7],
      [10, 12],
    ]);
    it.data(3, 2);
    expect(counted(it.report({ seqFrom: 5, seqTo: 7 }))).toEqual([['outboxQuota', 2, 5, 7]]);
    expect(it.released(10).missing).toEqual([]);
    expect(it.data(3, 2).repeats).toBe(0);
  });

  it('before this store knew the edge went to another one', () => {
    const it = court();
    it.data(500, 2);
    expect(it.released(600).missing).toEqual([]);
    expect(it.released(603).missing).toEqual([[600, 603]]);
  });

  it('of a new stream of a known edge should all be here, and below what is seen means nothing', () => {
    const it = court();
    it.released(100);
    expect(it.released(5, 2).missing).toEqual([[0, 5]]);
    it.data(0, 50, 2);
    expect(it.released(20, 2).missing).toEqual([]);
  });
});

describe('a replaced outbox', () => {
  it('makes its gaps losses, once, and what comes of it afterwards a repeat', () => {
    const it = court();
    it.released(10);
    it.data(10, 2);
    it.data(15, 2);
    it.released(20);
    const { losses } = it.released(0, 2);
    expect(counted(losses)).toEqual([
      ['outboxReplaced', 3, 12, 15],
      ['outboxReplaced', 3, 17, 20],
    ]);
    expect(losses[0]).toMatchObject({ edge: 'g/e', machine: '', metric: '', stream: streamId(1), fromMs: atMs, atMs });
    it.restart();
    expect(counted(it.released(0, 2).losses)).toEqual([]);
    expect(counted(it.report({ seqFrom: 12, seqTo: 15 }))).toEqual([]);
    expect(counted(it.report({ no: 1, seqFrom: 18, seqTo: 25 }))).toEqual([['outboxQuota', 5, 18, 25]]);
  });

  it('makes a bounded number of rows', () => {
    const it = court();
    it.released(0);
    for (let i = 0; i < 200; i++) it.data(i * 3, 1);
    const { losses } = it.released(0, 2);
    expect(losses.length).toBe(64);
    expect(losses.reduce((sum, { samples }) => sum + samples, 0)).toBe(199 * 2);
    expect(losses.at(-1)?.seqTo).toBe(199 * 3 + 1);
  });

  it('is not what live data of a new stream mean while the backlog of the old one is still under way', () => {
    const it = court();
    it.released(0);
    it.data(10, 2);
    expect(it.data(0, 3, 2).losses).toEqual([]);
    expect(it.released(0).losses).toEqual([]);
    it.restart();
    it.data(0, 7);
    expect(counted(it.released(5, 2).losses)).toEqual([['outboxReplaced', 3, 7, 10]]);
    expect(it.released(5, 2).missing).toEqual([[3, 5]]);
  });

  it('is not what a late report about an old stream means', () => {
    const it = court();
    it.released(0, 2);
    it.data(5, 1, 2);
    expect(counted(it.report({ seqFrom: 0, seqTo: 4 }))).toEqual([['outboxQuota', 4, 0, 4]]);
    expect(it.released(6, 2).missing).toEqual([[0, 5]]);
  });
});

describe('a loss report', () => {
  it('counts what nobody saw, once, for its own edge only', () => {
    const it = court();
    it.released(0);
    it.released(0, 1, 'f');
    it.data(2, 2);
    expect(counted(it.report({ seqFrom: 0, seqTo: 10 }))).toEqual([['outboxQuota', 8, 0, 10]]);
    expect(it.report({ seqFrom: 0, seqTo: 10 })).toEqual([]);
    expect(it.report({ no: 1, seqFrom: 0, seqTo: 10 })).toEqual([]);
    expect(it.data(0, 10).repeats).toBe(0);
    expect(it.released(10, 1, 'f').missing).toEqual([[0, 10]]);
  });

  it('without numbers is a span of time, and is told once', () => {
    const it = court();
    const down = { reason: 'agentDown' as const, fromMs: 100, toMs: 9e15 };
    expect(it.report(down)).toMatchObject([{ reason: 'agentDown', samples: 0, fromMs: 100, toMs: 8.64e15, machine: '', edge: 'g/e' }]);
    it.restart();
    expect(it.report(down)).toEqual([]);
    expect(it.report({ ...down, no: 1 })).toHaveLength(1);
    expect(it.report({ ...down, ledger: 'cd'.repeat(16) })).toHaveLength(1);
  });

  it('names machines by its edge, whatever it calls them', () => {
    const row = { metric: 'A', samples: 1, fromMs: 1, toMs: 2 };
    const rows = ['press', '', '../../other/edge/x', '_node'].map((device) => ({ ...row, device }));
    const losses = lossesOfReport('g/e', reportOf({ seqTo: 6, rows }), 6, atMs);
    expect(losses.map(({ machine, metric, samples }) => [machine, metric, samples])).toEqual([
      ['g/e/press', 'A', 1],
      ['g/e/_node', 'A', 1],
      ['', 'A', 1],
      ['g/e/_node', 'A', 1],
      ['', '', 2],
    ]);
  });
});

describe('a stream that is scattered', () => {
  it('gives up its smallest gaps as losses, never the large one that a backlog is about to fill', () => {
    const it = court();
    it.released(0);
    it.data(0, 1);
    const lost = Array.from({ length: 1100 }, (_, i) => it.data(1_000_000 + i * 3, 1).losses).flat();
    expect(lost.length).toBe(1101 - 1024);
    expect(lost.every(({ reason, samples }) => reason === 'tooScattered' && samples === 2)).toBe(true);
    expect(it.released(999_999).missing).toEqual([[1, 999_999]]);
  });
});

describe('splitting by largest remainder', () => {
  it('keeps the sum exact and no part above its weight', () => {
    const weights = fc.array(fc.oneof(fc.nat(20), fc.nat(2 ** 31)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (all, part) => {
        const sum = all.reduce((a, b) => a + b, 0);
        const total = Math.floor(sum * part);
        const shares = apportion(total, all);
        expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
        expect(shares.every((share, i) => share >= 0 && share <= (all[i] ?? 0) && Number.isInteger(share))).toBe(true);
      }),
    );
    expect(apportion(3, [1, 1, 8])).toEqual([0, 0, 3]);
    expect(apportion(5, [1, 1, 8])).toEqual([1, 0, 4]);
  });
});
