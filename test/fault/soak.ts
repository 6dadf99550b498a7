import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lengths } from './cell.ts';
import type { MatrixResult } from './matrix-result.ts';
import { outcomeLine } from './outcome-line.ts';
import { runCell } from './run-cell.ts';
import { stormCell } from './storm.ts';

/**
 * `npm run soak -- [--kills 500] [--apart] [--seed N] [--json FILE]`: a random storm of kill -9 over all roles, judged as a whole. Prints a
 * line now and then, a summary as JSON at the end. Exit code 1 when something is lost, doubled or invented.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    edges: { type: 'string', default: '2' },
    apart: { type: 'boolean', default: false },
    seed: { type: 'string' },
    json: { type: 'string' },
  },
});
const kills = Number(values.kills);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
console.log(`${kills} × kill -9, seed ${seed}`);

const startedMs = performance.now();
const progress = (killed: number): void => {
  if (killed % 20 === 0) console.log(`${killed} of ${kills} after ${Math.round((performance.now() - startedMs) / 1000)} s`);
};
const outcome = await runCell(
  stormCell({ kills, edges: Number(values.edges), shape: values.apart ? 'apart' : 'one', progress }),
  lengths.full,
  seed,
);
console.log(outcomeLine(outcome));
console.log(JSON.stringify({ kills, seed, ...outcome }));
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ isFull: true, outcomes: [outcome] } satisfies MatrixResult));
process.exit(outcome.isOk ? 0 : 1);
