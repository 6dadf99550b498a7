import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ModbusAddress, parseAddress } from './address.ts';
import { type Block, planBlocks, spansOf, split } from './plan.ts';

function addresses(...texts: string[]): ModbusAddress[] {
  return texts.map((text) => {
    const address = parseAddress(text);
    if ('problem' in address) throw new Error(address.problem);
    return address;
  });
}

function extents(blocks: readonly Block[]): readonly (readonly [number, number])[] {
  return blocks.map((block) => [block.start, block.end]);
}

/** The fewest requests, and among those the shortest. */
const fewest = { requestCost: 1, addressCost: 1e-6 };

describe('the read plan', () => {
  const limits = { maxCount: 125, maxGap: 4, ...fewest };
  const plan = (texts: string[], cuts: number[] = []): readonly Block[] =>
    planBlocks('holding', spansOf(addresses(...texts), 'holding'), limits, new Set(cuts));

  it('reads neighbours together, bridges small gaps and no large ones', () => {
    expect(extents(plan(['holding:0:float32', 'holding:2:uint16', 'holding:7:uint16', 'holding:13:uint16']))).toEqual([
      [0, 8],
      [13, 14],
    ]);
  });

  it('reads bits of one register once and keeps overlapping points whole', () => {
    const blocks = plan(['holding:5.0:bool', 'holding:5.1:bool', 'holding:5:uint16', 'holding:4:float32']);
    expect(extents(blocks)).toEqual([[4, 6]]);
    expect(blocks[0]?.spans.map((span) => span.points)).toEqual([[3], [0, 1, 2]]);
  });

  it('does not join across a cut', () => {
    expect(extents(plan(['holding:0:uint16', 'holding:1:uint16', 'holding:2:uint16'], [1]))).toEqual([
      [0, 1],
      [1, 3],
    ]);
  });

  it('splits by gaps first, then in halves, down to one span', () => {
    const [gappy] = plan(['holding:0:uint16', 'holding:3:uint16', 'holding:4:uint16']);
    const parts = gappy === undefined ? [] : split(gappy);
    expect(extents(parts)).toEqual([
      [0, 1],
      [3, 5],
    ]);
    expect(extents(parts.flatMap(split))).toEqual([
      [3, 4],
      [4, 5],
    ]);
    expect(parts.flatMap(split).flatMap(split)).toEqual([]);
  });

  it('covers every point once, within the limits, for any points and cuts', () => {
    const point = fc.record({ start: fc.nat(400), type: fc.constantFrom('uint16', 'float32', 'int64', 'string20') });
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 60 }),
        fc.array(fc.nat(400)),
        fc.integer({ min: 10, max: 125 }),
        fc.nat(60),
        (points, cuts, maxCount, maxGap) => {
          const all = addresses(...points.map(({ start, type }) => `holding:${start}:${type}`));
          const blocks = planBlocks('holding', spansOf(all, 'holding'), { maxCount, maxGap, ...fewest }, new Set(cuts));
          const seen = blocks.flatMap((block) => block.spans.flatMap((span) => span.points));
          expect([...seen].sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
          for (const block of blocks) {
            expect(block.end - block.start).toBeLessThanOrEqual(maxCount);
            for (const span of block.spans) {
              expect(span.start).toBeGreaterThanOrEqual(block.start);
              expect(span.end).toBeLessThanOrEqual(block.end);
            }
          }
        },
      ),
    );
  });
});
