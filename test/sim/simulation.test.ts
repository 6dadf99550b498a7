import { describe, expect, it } from 'vitest';
import { runScenario } from './scenario/run-scenario.ts';
import { createScenario, type Scenario } from './scenario/scenario.ts';
import { shrink } from './scenario/shrink.ts';

/** CI runs many thousands (`npm run sim`). */
const seeds = 120;

async function lines(scenario: Scenario): Promise<readonly string[]> {
  const all: string[] = [];
  const { violations, samples, simulatedMs } = await runScenario(scenario, (line) => void all.push(line));
  return [...all, ...violations, `${samples} samples, ${simulatedMs} ms`];
}

/** The first one with at least `count` faults. */
function scenarioWith(count: number): Scenario {
  for (let seed = 1; ; seed++) {
    const scenario = createScenario(seed);
    if (scenario.faults.length >= count) return scenario;
  }
}

describe('the simulated factory', () => {
  it(`delivers or counts every sample, over ${seeds} seeds`, { timeout: 300_000 }, async () => {
    const failed: string[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const { violations } = await runScenario(createScenario(seed));
      if (violations.length > 0) failed.push(`SEED=${seed}: ${violations.join(' | ')}`);
    }
    expect(failed).toEqual([]);
  });

  it('repeats a seed to the last line', async () => {
    const first = await lines(scenarioWith(6));
    expect(first.length).toBeGreaterThan(10);
    expect(await lines(scenarioWith(6))).toEqual(first);
  });

  it('makes another plant of each seed', () => {
    const scenarios = new Set(Array.from({ length: 50 }, (_, seed) => JSON.stringify({ ...createScenario(seed), seed: 0 })));
    expect(scenarios.size).toBe(50);
  });

  it('finds the smallest list of faults that fails', async () => {
    const scenario = scenarioWith(6);
    const [, needed, , alsoNeeded] = scenario.faults;
    let runs = 0;
    const smallest = await shrink(scenario, async ({ faults }) => {
      runs++;
      return faults.some((fault) => fault === needed) && faults.some((fault) => fault === alsoNeeded);
    });
    expect(smallest.faults).toEqual([needed, alsoNeeded]);
    expect(runs).toBeLessThan(60);
  });
});
