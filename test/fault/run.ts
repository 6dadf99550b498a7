import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lengths } from './cell.ts';
import { allCells, families } from './families.ts';
import type { MatrixResult } from './matrix-result.ts';
import { missingNeeds } from './needs.ts';
import { outcomeLine } from './outcome-line.ts';
import { runCell } from './run-cell.ts';
import { runTwoAtOnce } from './two-at-once.ts';

/**
 * `npm run faults -- --all | --family NAME | --cell ID … [--repeat N] [--seed N] [--short] [--json FILE]`: runs cells of the fault
 * matrix, two at once, and prints one line for each. Exit code 1 when one failed.
 */
const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    family: { type: 'string', multiple: true, default: [] },
    cell: { type: 'string', multiple: true, default: [] },
    repeat: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const wantedFamilies = families.filter(({ name }) => values.all || values.family.includes(name));
const wanted = new Set([...wantedFamilies.flatMap(({ cells }) => cells), ...allCells.filter(({ id }) => values.cell.includes(id))]);
if (values.list) {
  for (const { name, cells } of families) console.log(`${name}\n${cells.map(({ id, fault }) => `  ${id.padEnd(28)} ${fault}`).join('\n')}`);
  process.exit(0);
}
if (wanted.size === 0)
  throw new Error(`nothing to run: --all, --family ${families.map(({ name }) => name).join('|')}, --cell ID; --list shows them`);

// So that what was started ends with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const length = lengths[values.short ? 'short' : 'full'];
const results: MatrixResult['outcomes'][number][] = [];
const skipped = new Map<string, readonly string[]>();
for (let round = 0; round < Number(values.repeat); round++) {
  const seed = Number(values.seed) + round;
  await runTwoAtOnce(
    [...wanted],
    async (cell) => {
      const missing = await missingNeeds(cell);
      if (missing.length > 0) {
        skipped.set(cell.id, missing);
        console.log(`skipped  ${cell.id}: needs ${missing.join(', ')}`);
        return;
      }
      const outcome = await runCell(cell, length, seed);
      results.push(outcome);
      console.log(outcomeLine(outcome));
      // After each cell: a run of hours that is cut short has its results.
      if (values.json !== undefined)
        writeFileSync(values.json, JSON.stringify({ isFull: !values.short, outcomes: results } satisfies MatrixResult));
    },
    values.alone ? 1 : 2,
  );
}
const failed = results.filter(({ isOk }) => !isOk);
console.log(`${results.length - failed.length} ok, ${failed.length} failed, ${skipped.size} skipped`);
process.exit(failed.length > 0 ? 1 : 0);
