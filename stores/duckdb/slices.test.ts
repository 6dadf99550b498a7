import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColdFile } from './cold-catalog.ts';
import { dayMs, planSlices, type Slice } from './slices.ts';

const hourMs = 3_600_000;
const t0 = Date.UTC(2026, 10, 20);
const limits = { closedBeforeMs: t0 + 2 * dayMs };

const fileOf = ({ fromMs, toMs }: Slice): ColdFile => ({
  ...{ kind: 'samples', name: `samples/${fromMs}`, fromMs, toMs },
  ...{ version: 1, rows: 1, bytes: 1, isSparse: false },
});
const hours = fc.uniqueArray(fc.record({ hourMs: fc.nat(47).map((hour) => t0 + hour * hourMs), rows: fc.integer({ min: 1, max: 9 }) }), {
  selector: (each) => each.hourMs,
});

describe('planSlices', () => {
  it('never plans a span that a file covers, whenever rounds end and whatever comes between them', () => {
    const round = fc.record({ hot: hours, maxSliceRows: fc.integer({ min: 1, max: 60 }), done: fc.nat(8) });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 5 }), (rounds) => {
        let files: readonly ColdFile[] = [];
        for (const { hot, maxSliceRows, done } of rounds) {
          const slices = planSlices(hot, files, { ...limits, maxSliceRows });
          const fresh = slices.filter(({ isLate }) => !isLate);
          for (const late of slices.filter(({ isLate }) => isLate)) {
            expect(files.some(({ fromMs, toMs }) => fromMs === late.fromMs && toMs === late.toMs)).toBe(true);
          }
          for (const { hourMs: atMs } of hot) expect(slices.filter(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs)).toHaveLength(1);
          // The round is stopped after some of them.
          files = [...files, ...fresh.slice(0, done).map(fileOf)];
          const spans = [...files, ...fresh.slice(done)].sort((a, b) => a.fromMs - b.fromMs);
          for (const [i, { fromMs, toMs }] of spans.entries()) {
            expect(fromMs).toBeLessThan(toMs);
            expect(toMs).toBeLessThanOrEqual(spans[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY);
          }
        }
      }),
    );
  });
});
