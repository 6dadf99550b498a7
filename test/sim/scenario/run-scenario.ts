import { judge } from '../../checker/checker.ts';
import type { Verdict } from '../../checker/evidence.ts';
import { createFactory, type Factory } from '../factory/factory.ts';
import type { Say } from '../factory/log.ts';
import { createInjector } from './inject.ts';
import type { Scenario } from './scenario.ts';

export interface RunResult {
  readonly samples: number;
  /** What the checker found. A run that itself failed is one, too. */
  readonly violations: readonly string[];
  /** How often what happened: faults, sentences of the product's log. */
  readonly seen: ReadonlyMap<string, number>;
  readonly simulatedMs: number;
}

/** When all faults are over, everything is delivered within this time. */
const drainLimitMs = 180_000;
const stepMs = 1000;
/** What comes after everything was delivered: another figure of the node, a late repeat. */
const quietMs = 6000;

/** Runs a scenario to its end: production with faults, then all faults end, then everything must be accounted for. Never rejects. */
export async function runScenario(scenario: Scenario, say?: Say): Promise<RunResult> {
  const factory = createFactory(scenario, say);
  const run = { samples: 0, seen: factory.watch.seen };
  try {
    const { served, violations } = await runFactory(factory, scenario, say);
    return { ...run, samples: served, violations, simulatedMs: factory.clock.monotonic() };
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ...run, violations: [`the run itself failed: ${why}`], simulatedMs: factory.clock.monotonic() };
  }
}

async function runFactory(factory: Factory, scenario: Scenario, say?: Say): Promise<Verdict> {
  const { clock } = factory;
  const injector = createInjector(factory);
  factory.server.boot();
  for (const edge of factory.edges) edge.boot();
  for (const fault of scenario.faults) {
    injector.inject(fault);
    if (say !== undefined)
      clock.after(fault.atMs, () => say(`${clock.monotonic().toFixed(0).padStart(7)} ms  ==== ${JSON.stringify(fault)}`));
  }
  let isPublishing = true;
  const publish = (): void => {
    if (!isPublishing) return;
    for (const publisher of factory.publishers) publisher.publish();
    clock.after(scenario.publishEveryMs, publish);
  };
  if (factory.publishers.length > 0) clock.after(scenario.publishEveryMs, publish);
  await clock.advance(scenario.produceMs);
  injector.heal();
  isPublishing = false;
  for (const edge of factory.edges) edge.stopSource();
  const drainedAfterMs = await drain(factory);
  const recoveries = [{ name: 'delivery after the last fault', tookMs: drainedAfterMs, limitMs: drainLimitMs - stepMs }];
  return judge({ ...(await factory.evidence()), recoveries });
}

/** Goes on until everything is delivered and accounted for, and stays so. Resolves with how long it took. */
async function drain(factory: Factory): Promise<number> {
  const { clock } = factory;
  const startMs = clock.monotonic();
  while (clock.monotonic() < startMs + drainLimitMs) {
    await clock.advance(stepMs);
    if (!factory.isDrained() || judge(await factory.evidence()).violations.length > 0) continue;
    const tookMs = clock.monotonic() - startMs;
    await clock.advance(quietMs);
    // A figure of the node may be on its way just now.
    for (let waits = 0; waits < 4 && !factory.isDrained(); waits++) await clock.advance(stepMs / 2);
    if (factory.isDrained()) return tookMs;
  }
  return drainLimitMs;
}
