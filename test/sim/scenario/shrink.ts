import type { Fault } from './fault.ts';
import type { Scenario } from './scenario.ts';

/**
 * The smallest list of faults with which the scenario still fails: leaves out faults one by one, then publishers, until nothing more
 * can go. `fails` runs a scenario.
 */
export async function shrink(scenario: Scenario, fails: (scenario: Scenario) => Promise<boolean>): Promise<Scenario> {
  let smallest = scenario;
  const tryOut = async (smaller: Scenario): Promise<boolean> => {
    if (!(await fails(smaller))) return false;
    smallest = smaller;
    return true;
  };
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const fault of smallest.faults) {
      isSmaller = (await tryOut({ ...smallest, faults: without(smallest.faults, fault) })) || isSmaller;
    }
  }
  if (smallest.publishers.length > 0) await tryOut({ ...smallest, publishers: [] });
  if (smallest.edges.length > 1) await tryOut({ ...smallest, edges: smallest.edges.slice(0, 1) });
  return smallest;
}

function without(faults: readonly Fault[], fault: Fault): readonly Fault[] {
  return faults.filter((other) => other !== fault);
}
