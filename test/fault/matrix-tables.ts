import type { Cell, Family } from './cell.ts';
import type { Outcome } from './run-cell.ts';

const columns = ['Fault', 'What must hold', 'Runs', 'Lost', 'Doubled', 'Counted, by reason', 'Not yet on disk', 'Live again'] as const;
/** Times are told as an upper bound, so that the table does not change with every run. */
const boundsS = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 120] as const;

/** A Markdown table for each family: fault × outcome, the worst of all runs. */
export function matrixTables(families: readonly Family[], outcomes: readonly Outcome[]): string {
  const all = families.flatMap(({ cells }) => cells.map(({ id }) => id));
  const ran = all.filter((id) => outcomes.some((outcome) => outcome.id === id));
  const passed = ran.filter((id) => outcomes.every((outcome) => outcome.id !== id || outcome.isOk));
  const head = `${passed.length} of ${all.length} cells pass in every run${ran.length < all.length ? `, ${all.length - ran.length} were not run` : ''}.`;
  const tables = families.filter(({ cells }) => cells.length > 0).map(({ title, cells }) => familyTable(title, cells, outcomes));
  return [head, ...tables].join('\n\n').concat('\n');
}

function familyTable(title: string, cells: readonly Cell[], outcomes: readonly Outcome[]): string {
  const row = (list: readonly string[]): string => `| ${list.join(' | ')} |`;
  const rows = cells.map((cell) => {
    const runs = outcomes.filter(({ id }) => id === cell.id);
    return row([cell.fault, cell.expectation, ...measured(runs)]);
  });
  return [`### ${title}`, '', row(columns), row(columns.map((_, i) => (i < 2 ? '---' : '---:'))), ...rows].join('\n');
}

function measured(runs: readonly Outcome[]): readonly string[] {
  if (runs.length === 0) return ['not run', '', '', '', '', ''];
  const worst = (of: (outcome: Outcome) => number): number => Math.max(...runs.map(of));
  const failed = runs.filter(({ isOk }) => !isOk).length;
  return [
    failed === 0 ? String(runs.length) : `${runs.length}, **${failed} failed**`,
    String(worst(({ lost }) => lost)),
    String(worst(({ doubled }) => doubled)),
    countedText(runs),
    String(worst(({ inCrashWindow }) => inCrashWindow)),
    within(worst(({ liveAgainMs }) => liveAgainMs) / 1000),
  ];
}

/** The reasons with the most samples of any run. */
function countedText(runs: readonly Outcome[]): string {
  const most = new Map<string, number>();
  for (const { counted, deadLettered } of runs) {
    for (const [reason, samples] of Object.entries({ ...counted, ...(deadLettered > 0 ? { deadLettered } : {}) })) {
      most.set(reason, Math.max(most.get(reason) ?? 0, samples));
    }
  }
  return [...most].map(([reason, samples]) => `${reason} ${samples}`).join(', ') || '–';
}

function within(seconds: number): string {
  const bound = boundsS.find((each) => seconds <= each);
  return bound === undefined ? 'never' : `≤ ${bound} s`;
}
