import type { Outcome } from './run-cell.ts';

/** One line for a person, with the problems below. */
export function outcomeLine(outcome: Outcome): string {
  const { id, isOk, problems, served, stored, lost, doubled, inCrashWindow, counted, deadLettered, liveAgainMs, drainedMs, seconds } =
    outcome;
  const countedText = Object.entries(counted)
    .map(([reason, samples]) => `${reason} ${samples}`)
    .join(', ');
  const figures = [
    `served ${served}`,
    `stored ${stored}`,
    `lost ${lost}`,
    `doubled ${doubled}`,
    `counted ${countedText || 0}`,
    `dead letters ${deadLettered}`,
    `in crash windows ${inCrashWindow}`,
    `live again ${secondsOf(liveAgainMs)}`,
    `drained ${secondsOf(drainedMs)}`,
  ];
  const head = `${isOk ? 'ok    ' : 'FAILED'}  ${id.padEnd(28)} ${figures.join(' · ')} (${Math.round(seconds)} s)`;
  return [head, ...problems.map((problem) => `          ${problem}`)].join('\n');
}

function secondsOf(ms: number): string {
  return Number.isNaN(ms) ? 'never' : `${(ms / 1000).toFixed(1)} s`;
}
