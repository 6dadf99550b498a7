import type { CrashWindow, Evidence, LossRow, ServedValue } from './evidence.ts';
import type { Findings } from './findings.ts';

export interface Balance {
  readonly lost: number;
  readonly inCrashWindow: number;
  readonly countedAsLost: number;
  readonly deadLettered: number;
}

const deadLettered = 'deadLettered';

/**
 * C3 and C4: what was served and is not stored is counted, sample by sample, under a reason; nothing is counted that is stored.
 * Losses whose series is known are held against that series, the others against their edge. In a crash window samples may be
 * missing uncounted, as many as the window allows.
 */
export function checkBalance(evidence: Evidence, missing: ReadonlyMap<string, readonly ServedValue[]>, findings: Findings): Balance {
  const { losses, maxClockErrorMs } = evidence;
  const counting = losses.filter((row) => row.samples !== 0);
  const hasSeries = knowsSeries(counting);
  const bySeries = groupBy(counting.filter(hasSeries), (row) => `${row.machine} ${row.metric}`);
  const byEdge = groupBy(
    counting.filter((row) => !hasSeries(row)),
    (row) => row.edge,
  );
  const uncounted = new Map<string, number>();
  for (const series of new Set([...missing.keys(), ...bySeries.keys()])) {
    const values = missing.get(series) ?? [];
    const rows = bySeries.get(series) ?? [];
    const counted = sumOf(rows);
    if (counted > values.length)
      findings.note('C3 counted as lost although stored', `${series}: ${counted} counted, ${values.length} missing`);
    // Replayed dead letters are taken back by a row of the opposite sign: what they spoke of is stored.
    if (rows.every(({ samples }) => samples > 0)) for (const row of rows) checkTime(row, values, maxClockErrorMs, findings);
    const edge = edgeOf(series);
    uncounted.set(edge, (uncounted.get(edge) ?? 0) + Math.max(0, values.length - counted));
  }
  const windows = groupBy(evidence.crashWindows, (window) => window.edge);
  const missingByEdge = groupBy([...missing.values()].flat(), (value) => edgeOf(value.series));
  let lost = 0;
  let inCrashWindow = 0;
  for (const edge of new Set([...uncounted.keys(), ...byEdge.keys()])) {
    const rest = uncounted.get(edge) ?? 0;
    const counted = sumOf(byEdge.get(edge) ?? []);
    if (counted > rest)
      findings.note('C3 counted as lost although stored', `${edge}: ${counted} counted for unknown series, ${rest} missing`);
    const silent = Math.max(0, rest - counted);
    const excused = Math.min(silent, checkWindows(windows.get(edge) ?? [], missingByEdge.get(edge) ?? [], silent, findings));
    inCrashWindow += excused;
    lost += silent - excused;
    if (silent > excused) findings.note('C3 lost without a trace', describeLoss(edge, silent - excused, missingByEdge.get(edge) ?? []));
  }
  const letters = lettersOf(evidence);
  const countedLetters = sumOf(losses.filter((row) => row.reason === deadLettered));
  if (countedLetters > letters) findings.note('C3 dead letters that are not kept', `${countedLetters} counted, ${letters} kept`);
  const countedAsLost = sumOf(losses.filter((row) => row.reason !== deadLettered));
  return { lost, inCrashWindow, countedAsLost, deadLettered: countedLetters };
}

/**
 * Which losses say whose samples they are. When an edge gave up samples of which some had arrived all the same, its report names more
 * numbers than were lost: whose the others are is an estimate, only their sum counts.
 */
function knowsSeries(losses: readonly LossRow[]): (row: LossRow) => boolean {
  const reportOf = (row: LossRow): string => `${row.edge} ${row.reason} ${row.stream} ${row.seqFrom} ${row.seqTo}`;
  const reports = groupBy(
    losses.filter((row) => row.reason !== deadLettered && row.seqTo > row.seqFrom),
    reportOf,
  );
  return (row) => {
    const report = row.reason === deadLettered ? undefined : reports.get(reportOf(row));
    const isWhole = report === undefined || sumOf(report) >= row.seqTo - row.seqFrom;
    return isWhole && row.metric !== '' && row.machine !== '';
  };
}

/** The samples that a loss speaks of are missing in its time. */
function checkTime(row: LossRow, values: readonly ServedValue[], errorMs: number, findings: Findings): void {
  const there = values.filter(({ atMs }) => atMs >= row.fromMs - errorMs && atMs <= row.toMs + errorMs).length;
  if (there < row.samples) {
    const where = `${row.machine} ${row.metric} ${row.reason} ${row.fromMs}…${row.toMs}`;
    findings.note('C3 a loss names the wrong time', `${where}: ${row.samples} counted, ${there} missing in it`);
  }
}

/**
 * How many of the missing values crash windows excuse. `silent` is how many of them nobody counted: only those speak against a window
 * that is full. Each value is charged to the window that ends first among those with room.
 */
function checkWindows(windows: readonly CrashWindow[], missing: readonly ServedValue[], silent: number, findings: Findings): number {
  const open = windows
    .map((window) => ({ ...window, room: window.maxLost ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => (a.maxLost === undefined ? -1 : b.maxLost === undefined ? 1 : a.toMs - b.toMs));
  let excused = 0;
  let beyond: ServedValue | undefined;
  let beyondCount = 0;
  for (const value of [...missing].sort((a, b) => a.atMs - b.atMs)) {
    const around = open.filter(({ fromMs, toMs }) => value.atMs >= fromMs && value.atMs <= toMs);
    const window = around.find(({ room }) => room > 0);
    if (window !== undefined) {
      window.room--;
      excused++;
    } else if (around.length > 0) {
      beyond ??= value;
      beyondCount++;
    }
  }
  if (beyond === undefined || silent <= excused) return excused;
  const cost = Math.min(beyondCount, silent - excused);
  findings.note('C4 a crash cost more than its window', `${beyond.series}=${beyond.value}@${beyond.atMs}: ${cost} more than may be`);
  return excused + cost;
}

/** A letter may be kept twice when the server died between the letter and the checkpoint; its source tells. */
function lettersOf({ deadLetters }: Evidence): number {
  const once = new Map(deadLetters.map((letter) => [`${letter.source} ${letter.reason}`, letter.samples]));
  return [...once.values()].reduce((sum, samples) => sum + samples, 0);
}

function describeLoss(edge: string, count: number, missing: readonly ServedValue[]): string {
  const examples = missing.slice(0, 8).map(({ series, value, atMs }) => `${series.slice(edge.length + 1)}=${value}@${atMs}`);
  return `${edge}: ${count} of ${missing.length} missing (${examples.join(', ')})`;
}

function sumOf(rows: readonly LossRow[]): number {
  return rows.reduce((sum, { samples }) => sum + samples, 0);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** `<group>/<edge>` of a series `<group>/<edge>/<device> <metric>`. */
function edgeOf(series: string): string {
  return series.split('/', 2).join('/');
}
