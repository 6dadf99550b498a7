import { judge } from '../checker/checker.ts';
import type { Evidence, Verdict } from '../checker/evidence.ts';
import { keptAsDeadLetters } from '../harness/collect-evidence.ts';
import { type Factory, startFactory } from '../harness/factory.ts';
import type { Cell, Length } from './cell.ts';

/** What became of one run of a cell. */
export interface Outcome {
  readonly id: string;
  readonly isOk: boolean;
  readonly problems: readonly string[];
  readonly served: number;
  readonly stored: number;
  readonly lost: number;
  readonly doubled: number;
  readonly invented: number;
  /** Handed out and read by nobody, or read and not yet on disk, when something died. */
  readonly inCrashWindow: number;
  /** Samples counted as lost, by reason. */
  readonly counted: Readonly<Record<string, number>>;
  readonly deadLettered: number;
  /** From the end of the fault until live values were back. */
  readonly liveAgainMs: number;
  /** Until everything was stored, counted from the moment at which the PLC stopped. */
  readonly drainedMs: number;
  readonly seconds: number;
}

/** The edge stamps an answer when it arrives, which it does up to 5 s late on a busy machine. */
const maxClockErrorMs = 6000;
const maxRecoveryMs = 30_000;

/** Runs a cell in a factory of its own and judges it. Never rejects: what goes wrong is a problem of the outcome. */
export async function runCell(cell: Cell, length: Length, seed: number): Promise<Outcome> {
  const startedMs = performance.now();
  const problems: string[] = [];
  const took = { live: Number.NaN, drain: Number.NaN };
  let verdict: Verdict | undefined;
  let evidence: Evidence | undefined;
  let factory: Factory | undefined;
  const step = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  };
  await step(async () => {
    factory = await startFactory({ seed, ...cell.factory });
  });
  if (factory !== undefined) {
    const running = factory;
    let memory: Evidence['measured'] = [];
    await step(async () => {
      await cell.run(running, length);
      took.live = await running.live();
      took.drain = await running.drained();
      if (cell.isComplete === true) took.drain += await running.complete();
      memory = running.memory();
    });
    await step(async () => {
      const { stored, losses } = await running.stop();
      evidence = {
        stored,
        losses: cell.isCountedByEdge === true ? losses.map((row) => ({ ...row, machine: '', metric: '' })) : losses,
        served: running.journal(),
        deadLetters: await keptAsDeadLetters(running.data),
        crashWindows: running.crashWindows(),
        maxClockErrorMs: cell.maxClockErrorMs ?? maxClockErrorMs,
        measured: memory,
        recoveries: [{ name: 'live values are back', tookMs: took.live, limitMs: cell.maxRecoveryMs ?? maxRecoveryMs }],
      };
      verdict = judge(evidence);
      problems.push(...verdict.violations, ...running.problems(), ...expectationProblems(cell, evidence, countedByReason(evidence)));
    });
    await running.remove();
  }
  return {
    id: cell.id,
    isOk: problems.length === 0,
    problems,
    served: verdict?.served ?? 0,
    stored: verdict?.stored ?? 0,
    lost: verdict?.lost ?? 0,
    doubled: verdict?.doubled ?? 0,
    invented: verdict?.invented ?? 0,
    inCrashWindow: verdict?.inCrashWindow ?? 0,
    counted: evidence === undefined ? {} : countedByReason(evidence),
    deadLettered: verdict?.deadLettered ?? 0,
    liveAgainMs: took.live,
    drainedMs: took.drain,
    seconds: (performance.now() - startedMs) / 1000,
  };
}

function countedByReason({ losses }: Evidence): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reason, samples } of losses)
    if (samples !== 0 && reason !== 'deadLettered') counts[reason] = (counts[reason] ?? 0) + samples;
  return counts;
}

/** A cell in which what it is about did not happen proves nothing. */
function expectationProblems(
  { counted = [], mayCount = [], deadLettered }: Cell,
  { losses, deadLetters }: Evidence,
  found: Outcome['counted'],
): readonly string[] {
  const problems: string[] = [];
  for (const reason of counted) if (found[reason] === undefined) problems.push(`nothing was counted as ${reason}`);
  for (const [reason, samples] of Object.entries(found))
    if (![...counted, ...mayCount].includes(reason)) problems.push(`${samples} samples counted as ${reason}`);
  const reasons = [...new Set(deadLetters.map(({ reason }) => reason))].join(', ');
  const still = losses.reduce((sum, { reason, samples }) => sum + (reason === 'deadLettered' ? samples : 0), 0);
  if (deadLettered !== undefined && deadLettered !== 'maybe' && deadLetters.length === 0) problems.push('nothing became a dead letter');
  if (deadLettered === undefined && deadLetters.length > 0) problems.push(`${deadLetters.length} dead letters: ${reasons}`);
  if (deadLettered === 'replayed' && still !== 0) problems.push(`${still} samples are dead-lettered after the replay`);
  return problems;
}
