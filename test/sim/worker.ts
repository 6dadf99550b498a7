import { parentPort } from 'node:worker_threads';
import { runScenario } from './scenario/run-scenario.ts';
import { createScenario, type Scenario } from './scenario/scenario.ts';

/** What a worker is asked: seeds in turn, or one scenario. */
export type WorkerTask = { readonly seeds: readonly number[] } | { readonly scenario: Scenario; readonly isVerbose: boolean };

/** What it answers. */
export type WorkerAnswer =
  | { readonly kind: 'seed'; readonly seed: number; readonly violations: readonly string[] }
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'done'; readonly seen: ReadonlyMap<string, number>; readonly samples: number; readonly simulatedMs: number };

function answer(message: WorkerAnswer): void {
  parentPort?.postMessage(message);
}

async function serve(task: WorkerTask): Promise<void> {
  const seen = new Map<string, number>();
  const total = { samples: 0, simulatedMs: 0 };
  const scenarios = 'seeds' in task ? task.seeds.map(createScenario) : [task.scenario];
  const say = 'seeds' in task || !task.isVerbose ? undefined : (text: string) => answer({ kind: 'line', text });
  for (const scenario of scenarios) {
    const result = await runScenario(scenario, say);
    total.samples += result.samples;
    total.simulatedMs += result.simulatedMs;
    for (const [what, times] of result.seen) seen.set(what, (seen.get(what) ?? 0) + times);
    answer({ kind: 'seed', seed: scenario.seed, violations: result.violations });
  }
  answer({ kind: 'done', seen, ...total });
}

parentPort?.on('message', (task: WorkerTask) => void serve(task));
