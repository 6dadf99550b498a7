import { Worker } from 'node:worker_threads';
import type { Scenario } from './scenario/scenario.ts';
import type { WorkerAnswer, WorkerTask } from './worker.ts';

export interface Failure {
  readonly seed: number;
  readonly violations: readonly string[];
}

export interface PoolResult {
  readonly failures: readonly Failure[];
  readonly seeds: number;
  /** Samples handed out, simulated time, and how often what was seen, over all seeds. */
  readonly samples: number;
  readonly simulatedMs: number;
  readonly seen: ReadonlyMap<string, number>;
}

export interface PoolOptions {
  readonly threads: number;
  /** Stops at this many failures. */
  readonly maxFailures: number;
  onProgress?(done: number, failures: number): void;
  onFailure?(failure: Failure): void;
}

/** A run that takes longer than this hangs. */
const runLimitMs = 60_000;
const seedsAtOnce = 20;

/** Runs the seeds from `first` on, `count` of them, in worker threads of the bundle `file`. */
export async function runSeeds(file: string, first: number, count: number, options: PoolOptions): Promise<PoolResult> {
  const failures: Failure[] = [];
  const seen = new Map<string, number>();
  const total = { seeds: 0, samples: 0, simulatedMs: 0 };
  let next = first;
  const end = first + count;
  const isOver = (): boolean => next >= end || failures.length >= options.maxFailures;

  const work = async (): Promise<void> => {
    const worker = new Worker(file);
    try {
      while (!isOver()) {
        const seeds = Array.from({ length: Math.min(seedsAtOnce, end - next) }, () => next++);
        const answers = await ask(worker, { seeds }, (answer) => {
          if (answer.kind !== 'seed') return;
          total.seeds++;
          if (answer.violations.length > 0) {
            failures.push(answer);
            options.onFailure?.(answer);
          }
          options.onProgress?.(total.seeds, failures.length);
        });
        total.samples += answers.samples;
        total.simulatedMs += answers.simulatedMs;
        for (const [what, times] of answers.seen) seen.set(what, (seen.get(what) ?? 0) + times);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: options.threads }, work));
  return { failures: failures.sort((a, b) => a.seed - b.seed), ...total, seen };
}

/** Runs one scenario; resolves with what it violates. `onLine` gets what happens. */
export async function runOne(file: string, scenario: Scenario, onLine?: (line: string) => void): Promise<readonly string[]> {
  const worker = new Worker(file);
  let violations: readonly string[] = [];
  try {
    await ask(worker, { scenario, isVerbose: onLine !== undefined }, (answer) => {
      if (answer.kind === 'line') onLine?.(answer.text);
      if (answer.kind === 'seed') violations = answer.violations;
    });
  } finally {
    await worker.terminate();
  }
  return violations;
}

function ask(
  worker: Worker,
  task: WorkerTask,
  onAnswer: (answer: WorkerAnswer) => void,
): Promise<Extract<WorkerAnswer, { readonly kind: 'done' }>> {
  return new Promise((resolve, reject) => {
    let watchdog: NodeJS.Timeout | undefined;
    const feed = (): void => {
      clearTimeout(watchdog);
      const what = 'seeds' in task ? `one of the seeds ${task.seeds.join(' ')}` : `seed ${task.scenario.seed}`;
      watchdog = setTimeout(() => onError(new Error(`${what} did not end within ${runLimitMs} ms`)), runLimitMs);
    };
    const settled = (): void => {
      clearTimeout(watchdog);
      worker.off('error', onError).off('exit', onExit).off('message', onMessage);
    };
    const onError = (error: Error): void => {
      settled();
      reject(error);
    };
    const onExit = (code: number): void => onError(new Error(`a worker of the simulation ended with ${code}`));
    const onMessage = (answer: WorkerAnswer): void => {
      feed();
      onAnswer(answer);
      if (answer.kind !== 'done') return;
      settled();
      resolve(answer);
    };
    worker.on('error', onError).on('exit', onExit).on('message', onMessage);
    feed();
    worker.postMessage(task);
  });
}
