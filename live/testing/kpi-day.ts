import type { HistorySample } from './rig.ts';

const minuteMs = 60_000;

/** What a machine says from `fromMs` to `toMs`: a state with a reason from each given minute on, repeated every minute as an edge does. */
export function statesOf(
  machine: string,
  fromMs: number,
  toMs: number,
  changes: Readonly<Record<number, string | readonly [state: string, reason: string]>>,
): readonly HistorySample[] {
  const samples: HistorySample[] = [[machine, 'Connection', fromMs, 'online']];
  let current: readonly [string, string] = ['running', ''];
  for (let t = fromMs; t < toMs; t += minuteMs) {
    const change = changes[(t - fromMs) / minuteMs];
    if (change !== undefined) current = typeof change === 'string' ? [change, ''] : change;
    samples.push([machine, 'State', t, current[0]]);
    if (change !== undefined || t === fromMs) samples.push([machine, 'State/Reason', t, current[1]]);
  }
  return samples;
}

/** Readings of a counter or meter: `perStep` more every `stepMs`. */
export function countsOf(
  machine: string,
  metric: string,
  {
    fromMs,
    toMs,
    stepMs = minuteMs,
    start = 1000,
    perStep,
  }: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly stepMs?: number;
    readonly start?: number;
    readonly perStep: number;
  },
): readonly HistorySample[] {
  const samples: HistorySample[] = [];
  for (let t = fromMs, i = 0; t < toMs; t += stepMs, i++) samples.push([machine, metric, t, start + i * perStep]);
  return samples;
}
