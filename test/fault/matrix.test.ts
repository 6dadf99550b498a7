import { describe, expect, it } from 'vitest';
import { type Cell, lengths } from './cell.ts';
import { allCells } from './families.ts';
import { missingNeeds } from './needs.ts';
import { outcomeLine } from './outcome-line.ts';
import { type Outcome, runCell } from './run-cell.ts';
import { stormCell } from './storm.ts';
import { runTwoAtOnce } from './two-at-once.ts';

/**
 * A part of the fault matrix, about four minutes: the core cells, and others in turns, chosen by the number of the day.
 * `npm run faults -- --all` runs all of them.
 */
const rotatingCells = 2;
const stormKills = 12;
const seed = 20_260_101;
const dayMs = 86_400_000;

const day = Math.floor(Date.now() / dayMs);
const others = allCells.filter(({ isCore }) => isCore !== true);
const chosen = Array.from({ length: rotatingCells }, (_, i) => others[(day * rotatingCells + i) % others.length] as Cell);
// The longest first, so that the two lanes end at about the same time.
const cells = [stormCell({ kills: stormKills, edges: 2 }), ...allCells.filter(({ isCore }) => isCore), ...chosen];
console.log(`fault matrix: day ${day}, besides the core ${chosen.map(({ id }) => id).join(', ')}`);

type Result = Outcome | { readonly missing: readonly string[] };

/** All cells start with the first test; each test waits for its own. */
const results = new Map<string, Promise<Result>>();
function start(): void {
  if (results.size > 0) return;
  const given = new Map<string, (result: Result) => void>();
  for (const { id } of cells) results.set(id, new Promise((resolve) => given.set(id, resolve)));
  void runTwoAtOnce(cells, async (cell) => {
    const missing = await missingNeeds(cell);
    given.get(cell.id)?.(missing.length > 0 ? { missing } : await runCell(cell, lengths.short, seed));
  });
}

describe('fault matrix', () => {
  for (const { id, fault } of cells) {
    it(`${id}: ${fault}`, async ({ skip }) => {
      start();
      const result = await results.get(id);
      if (result === undefined) throw new Error(`${id} has no result`);
      // A failure in .ci/run, which installs them and runs as root.
      if ('missing' in result) return skip(`${id} needs ${result.missing.join(', ')}`);
      expect(result.isOk, outcomeLine(result)).toBe(true);
    });
  }
});
