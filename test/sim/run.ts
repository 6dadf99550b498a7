/**
 * The simulation's command line:
 *
 *     npm run sim                       2,000 seeds
 *     npm run sim -- --seeds 20000 [--from 1] [--threads 2]
 *     SEED=7 npm run sim                one seed in every detail; when it fails, the smallest list of faults that does it
 *     npm run sim -- --sabotage [--only <part of a name>]   builds that are broken on purpose: how many the simulation catches
 *     npm run sim -- --outage           24 h without a line at 1,000 tags: does memory grow, does all arrive
 *
 * Exit code 1 when something was violated, or a sabotage not caught.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bundleSimulation } from './bundle.ts';
import { runLongOutage } from './long-outage.ts';
import { runOne, runSeeds } from './pool.ts';
import { medianSeeds, runSabotages } from './sabotage/run-sabotages.ts';
import { createScenario, type Scenario } from './scenario/scenario.ts';
import { shrink } from './scenario/shrink.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    sabotage: { type: 'boolean', default: false },
    only: { type: 'string' },
    outage: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function replay(seed: number): Promise<boolean> {
  const bundle = await bundleSimulation();
  try {
    const scenario = createScenario(seed);
    say(JSON.stringify({ ...scenario, faults: undefined }, null, 1));
    const violations = await runOne(bundle.file, scenario, say);
    if (violations.length === 0) {
      say(`seed ${seed}: everything holds`);
      return true;
    }
    say(`\nseed ${seed} violates:\n${violations.map((text) => `  ${text}`).join('\n')}\n\nlooking for the smallest list of faults …`);
    const smallest = await shrink(scenario, async (smaller: Scenario) => (await runOne(bundle.file, smaller)).length > 0);
    say(`\n===== with ${smallest.faults.length} of ${scenario.faults.length} faults =====`);
    const left = await runOne(bundle.file, smallest, say);
    say(`\nviolates:\n${left.map((text) => `  ${text}`).join('\n')}`);
    return false;
  } finally {
    bundle.remove();
  }
}

async function many(): Promise<boolean> {
  const bundle = await bundleSimulation();
  const startedMs = performance.now();
  try {
    const result = await runSeeds(bundle.file, Number(values.from), Number(values.seeds), {
      threads: Number(values.threads),
      maxFailures: 20,
      onFailure: ({ seed, violations }) => say(`SEED=${seed}: ${violations.join(' | ')}`),
      onProgress: (done, failures) => {
        if (done % 1000 === 0) say(`${done} seeds, ${failures} with violations, ${Math.round((performance.now() - startedMs) / 1000)} s`);
      },
    });
    const seconds = (performance.now() - startedMs) / 1000;
    if (values.coverage) for (const [what, times] of [...result.seen].sort()) say(`${String(times).padStart(8)}  ${what}`);
    const faults = [...result.seen].filter(([what]) => what.startsWith('fault: '));
    const happened = faults.reduce((sum, [, times]) => sum + times, 0);
    say(
      `${result.seeds} seeds in ${seconds.toFixed(0)} s (${(result.seeds / seconds).toFixed(0)} per s): ${result.samples} samples, ` +
        `${(result.simulatedMs / 3_600_000).toFixed(0)} simulated hours, ${happened} faults of ${faults.length} kinds, ` +
        `${result.failures.length} seeds with violations`,
    );
    return result.failures.length === 0;
  } finally {
    bundle.remove();
  }
}

async function sabotage(): Promise<boolean> {
  const options = { maxSeeds: Number(values.seeds), threads: Number(values.threads), only: values.only ?? '' };
  const results = await runSabotages(options, ({ sabotage: { name }, caught }) => {
    say(
      caught === undefined
        ? `NOT caught in ${options.maxSeeds} seeds: ${name}`
        : `caught after ${caught.seeds} seeds: ${name} (${caught.violation.slice(0, 140)})`,
    );
  });
  const caught = results.filter((result) => result.caught !== undefined).length;
  say(`caught ${caught} of ${results.length}, median seeds to catch ${medianSeeds(results)}`);
  return caught === results.length;
}

async function outage(): Promise<boolean> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const report = await runLongOutage({ hours: 24, tags: 1000, intervalMs: 30_000, outboxBytes: 536_870_912, collectGarbage });
  const { samples, stored, lost, drainedAfterMs, slowestLiveMs, heapMb: [early, late] = [0, 0], violations } = report;
  say(
    `24 h without a line, 1,000 tags every 30 s: ${samples} samples, ${stored} stored, ${lost} lost; drained ${drainedAfterMs} ms after it ` +
      `(simulated), live values within ${slowestLiveMs} ms meanwhile; heap ${early.toFixed(1)} MB after the first tenth, ${late.toFixed(1)} MB at the end`,
  );
  for (const violation of violations) say(violation);
  return violations.length === 0;
}

const seed = process.env.SEED;
const isGood =
  seed !== undefined ? await replay(Number(seed)) : values.outage ? await outage() : values.sabotage ? await sabotage() : await many();
process.exitCode = isGood ? 0 : 1;
