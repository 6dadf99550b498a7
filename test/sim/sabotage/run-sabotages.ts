import { bundleSimulation } from '../bundle.ts';
import { runSeeds } from '../pool.ts';
import { sabotagePlugin } from './plugin.ts';
import { type Sabotage, sabotages } from './sabotage.ts';

export interface SabotageResult {
  readonly sabotage: Sabotage;
  /** Seeds until the first violation, and what it was; undefined when it was not caught. */
  readonly caught: { readonly seeds: number; readonly violation: string } | undefined;
}

/**
 * Runs each broken build whose name holds `only` over at most `maxSeeds` seeds. Rejects when the unbroken one fails with a seed that
 * caught a broken one: then the violation proves nothing.
 */
export async function runSabotages(
  options: { readonly maxSeeds: number; readonly threads: number; readonly only: string },
  onResult: (result: SabotageResult) => void,
): Promise<readonly SabotageResult[]> {
  const results: SabotageResult[] = [];
  const sound = await bundleSimulation();
  try {
    for (const sabotage of sabotages.filter(({ name }) => name.includes(options.only))) {
      const bundle = await bundleSimulation([sabotagePlugin(sabotage)]);
      try {
        const { failures } = await runSeeds(bundle.file, 1, options.maxSeeds, { threads: options.threads, maxFailures: 1 });
        const [first] = failures;
        if (first !== undefined) await mustHold(sound.file, first.seed);
        const caught = first === undefined ? undefined : { seeds: first.seed, violation: first.violations[0] ?? '' };
        const result = { sabotage, caught };
        results.push(result);
        onResult(result);
      } finally {
        bundle.remove();
      }
    }
  } finally {
    sound.remove();
  }
  return results;
}

async function mustHold(unbroken: string, seed: number): Promise<void> {
  const { failures } = await runSeeds(unbroken, seed, 1, { threads: 1, maxFailures: 1 });
  const [failure] = failures;
  if (failure !== undefined) throw new Error(`The unbroken build fails with seed ${seed} as well: ${failure.violations.join(' | ')}`);
}

export function medianSeeds(results: readonly SabotageResult[]): number {
  const seeds = results.flatMap(({ caught }) => (caught === undefined ? [] : [caught.seeds])).sort((a, b) => a - b);
  return seeds[Math.floor(seeds.length / 2)] ?? 0;
}
