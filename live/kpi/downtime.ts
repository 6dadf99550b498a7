import type { DowntimeEntry, DowntimeReasonView, DowntimeStop } from '@nhip/core/kpi/answers';
import { type Correction, heldCorrections, maxOpenMs } from '@nhip/core/kpi/corrections';
import { isStopState } from '@nhip/core/kpi/reasons';
import type { Span } from '@nhip/core/kpi/span';
import { type CorrectionProblem, correctionProblem } from '@nhip/core/kpi/stops';
import { HttpProblem } from '@nhip/core/process/http-problem';
import type { PlantModel } from '@nhip/core/wire/plant';
import type { MachineState } from '@nhip/core/wire/vocabulary';
import type { DowntimeChange } from '../http/downtime-schemas.ts';
import type { CorrectionDraft, CorrectionLog } from '../plant-state/correction-log.ts';
import type { MachineReader } from './machine-history.ts';
import type { PlantTime } from './plant-time.ts';
import { reasonViews } from './reason-names.ts';
import { allMembers, type ScopeMembers } from './scopes.ts';
import type { FoundStop, StopReader } from './stop-reader.ts';

/** Stops, and what people say about them. */
export interface Downtime {
  stops(query: StopsQuery): Promise<readonly DowntimeStop[]>;
  /** Writes a correction down, durable when it resolves with the stops that come of it. Throws a 404 or 409. */
  change(id: string, change: DowntimeChange, by: string, nowMs: number): Promise<readonly DowntimeStop[]>;
  /** Every entry that touches the time of a stop, oldest first. Throws a 404 for text that is no id. */
  history(id: string, nowMs: number): Promise<readonly DowntimeEntry[]>;
  reasons(): readonly DowntimeReasonView[];
  /** Gives entries without an end the end that their stop has found; how many. */
  closeOpen(nowMs: number): Promise<number>;
}

export interface StopsQuery {
  readonly scope: ScopeMembers;
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: MachineState | undefined;
  readonly isUnexplained: boolean;
  readonly nowMs: number;
}

export interface DowntimeDeps {
  readonly corrections: CorrectionLog;
  readonly stopReader: StopReader;
  readonly reader: Pick<MachineReader, 'timelines'>;
  readonly time: PlantTime;
  readonly plant: PlantModel | null;
  isMachine(machine: string): boolean;
}

const dayMs = 86_400_000;
/** Samples that say that the machine was still in that state may be on their way. */
const closeAfterMs = 3_600_000;
/** Entries on the time of one stop: beyond, something writes by itself. */
const maxEntries = 200;
/** Who closes entries. */
const ourselves = 'nhip';

const problems: Readonly<Record<CorrectionProblem, string>> = {
  emptyRange: 'The stop has no length yet: try again in a second.',
  unknownReason: 'That reason is not known: GET /api/v1/downtime-reasons lists the codes.',
  noStop: 'The machine does not stand in that time any more: list the stops again.',
  notInsideStop: 'That time is not within the stop: choose one after its start and before its end.',
  notOneStop: 'Between the two stops the machine ran, or nothing is known of it: they cannot be one.',
  nothingToReplace: 'That entry holds no more: look at the history of the stop.',
};

export function createDowntime({ corrections, stopReader, reader, time, plant, isMachine }: DowntimeDeps): Downtime {
  /** The stop whose id this is. Throws a 404. */
  async function find(id: string, nowMs: number): Promise<FoundStop> {
    const { machine, fromMs } = parse(id);
    const stops = await stopReader.read([machine], { from: fromMs, to: fromMs + 1 }, nowMs, true);
    const stop = stops.find((each) => each.id === id);
    if (stop !== undefined) return stop;
    const now = stops[0] === undefined ? '' : ` That time belongs to ${stops[0].id} now.`;
    throw new HttpProblem(404, `There is no stop ${id}: data or corrections that came later changed it.${now} List the stops again.`);
  }

  function parse(id: string): { readonly machine: string; readonly fromMs: number } {
    const [, machine = '', digits = ''] = /^(.+)@(\d{1,15})$/.exec(id) ?? [];
    if (!isMachine(machine))
      throw new HttpProblem(404, `There is no stop ${id}: an id is <machine>@<ms since 1970>, as GET /api/v1/downtime tells it.`);
    return { machine, fromMs: Number(digits) };
  }

  async function draftOf(
    stop: FoundStop,
    change: DowntimeChange,
    entry: Pick<Correction, 'machine' | 'by' | 'atMs'>,
    nowMs: number,
  ): Promise<CorrectionDraft> {
    const end = stop.endsAfter ? null : stop.to;
    switch (change.action) {
      case 'reclassify':
        return { ...entry, kind: 'reclassify', fromMs: stop.from, toMs: end, reason: change.reason };
      case 'split':
        return { ...entry, kind: 'split', splitMs: change.atMs };
      case 'merge': {
        const other = await find(change.with, nowMs);
        if (other.machine !== stop.machine) throw new HttpProblem(409, 'The two stops are of different machines.');
        if (other.endsAfter || end === null) throw new HttpProblem(409, 'One of the stops still goes on: merge them when it has ended.');
        if (!isStopState(stop.state)) throw new HttpProblem(409, 'Time without data cannot be merged: give it a reason instead.');
        const [fromMs, toMs] = [Math.min(stop.from, other.from), Math.max(stop.to, other.to)];
        return { ...entry, kind: 'merge', fromMs, toMs, reason: stop.reason, state: stop.state };
      }
      case 'withdraw': {
        if (!stop.corrections.some(({ id }) => id === change.correction)) {
          throw new HttpProblem(409, `The entry ${change.correction} is not one of this stop: its history lists them.`);
        }
        return { ...entry, kind: 'withdraw', replaces: change.correction };
      }
    }
  }

  function requireSense(draft: CorrectionDraft, stop: FoundStop): void {
    const { timeline, allCorrections, from, to } = stop;
    if (draft.kind === 'split' && !(draft.splitMs > from && draft.splitMs < to)) throw new HttpProblem(409, problems.notInsideStop);
    // What is checked does not depend on the id, which it gets when it is written.
    const problem = correctionProblem({ ...draft, id: '' } as Correction, timeline, time.rules.reasons, allCorrections);
    if (problem !== null) throw new HttpProblem(409, problems[problem]);
    const entries = entriesOf(stop);
    if (entries >= maxEntries) {
      throw new HttpProblem(409, `There are ${entries} entries on this time already: take no more down, what holds is the last one.`);
    }
  }

  /** Time whose figures may change with the span: up to the next planned time, where a failure that goes on is counted or not. */
  function affectedBy({ from, to }: Span): Span {
    const margin = time.rules.microStopMs + 1;
    const next = time.planned({ from: to, to: to + 14 * dayMs }).find((planned) => planned.from >= to);
    return { from: from - margin, to: Math.max(time.day(to + margin).to, next === undefined ? 0 : time.day(next.from).to) };
  }

  /** When a machine left the state that it had at `fromMs`; nothing is planned or corrected about that. */
  async function leftStateAt(machine: string, fromMs: number, nowMs: number): Promise<number> {
    const read = (await reader.timelines([machine], { from: fromMs, to: Math.min(nowMs, fromMs + maxOpenMs) }, nowMs)).get(machine);
    const intervals = read?.intervals ?? [];
    let i = intervals.findIndex(({ to }) => to > fromMs);
    const state = intervals[i]?.state;
    if (state === undefined) return fromMs + 1;
    while (intervals[i + 1]?.state === state) i++;
    return Math.min(intervals[i]?.to ?? fromMs, fromMs + maxOpenMs);
  }

  return {
    async stops({ scope, fromMs, toMs, state, isUnexplained, nowMs }) {
      const machines = allMembers(scope).flatMap(({ machine, role }) => (role === 'machine' ? [machine] : []));
      const found = await stopReader.read(machines, { from: fromMs, to: toMs }, nowMs, state === 'unknown');
      const wanted = found.filter((stop) => (state === undefined || stop.state === state) && (!isUnexplained || stop.isUnexplained));
      return wanted.map((stop) => stopReader.view(stop));
    },
    async change(id, change, by, nowMs) {
      const stop = await find(id, nowMs);
      const entry = { machine: stop.machine, by, atMs: nowMs, ...(change.note === undefined ? {} : { note: change.note }) };
      const draft = await draftOf(stop, change, entry, nowMs);
      requireSense(draft, stop);
      const taken = draft.kind === 'withdraw' ? stop.corrections.find((each) => each.id === draft.replaces) : undefined;
      const span = spanOf([stop, ...[draft, taken].flatMap((each) => (each === undefined ? [] : ownSpan(each)))]);
      await corrections.append(draft, affectedBy(span));
      const stops = await stopReader.read([stop.machine], span, nowMs, stop.state === 'unknown');
      return stops.map((each) => stopReader.view(each));
    },
    async history(id, nowMs) {
      const { machine, fromMs } = parse(id);
      const stops = await stopReader.read([machine], { from: fromMs, to: fromMs + 1 }, nowMs, true);
      const span = spanOf([{ from: fromMs, to: fromMs + 1 }, ...stops]);
      const entries = (await corrections.touching([machine], span)).get(machine) ?? [];
      const held = new Set(heldCorrections(entries).map((entry) => entry.id));
      return entries.map((entry) => ({ ...entry, isHeld: held.has(entry.id) }));
    },
    reasons: () => reasonViews(plant),
    async closeOpen(nowMs) {
      let closed = 0;
      for (const entry of await corrections.open(nowMs - 8 * dayMs)) {
        if (entry.kind !== 'reclassify') continue;
        const toMs = await leftStateAt(entry.machine, entry.fromMs, nowMs);
        if (toMs > nowMs - closeAfterMs) continue;
        const { id, ...rest } = entry;
        await corrections.append({ ...rest, by: ourselves, atMs: nowMs, toMs, replaces: id }, affectedBy({ from: entry.fromMs, to: toMs }));
        closed++;
      }
      return closed;
    },
  };
}

/** Entries on a stop itself. One without an end that began before belongs to an earlier stop, however far it might have reached. */
function entriesOf({ corrections, from }: FoundStop): number {
  const isEarlier = (entry: Correction): boolean => entry.kind === 'reclassify' && entry.toMs === null && entry.fromMs < from;
  const earlier = new Set(corrections.filter(isEarlier).map(({ id }) => id));
  const own = corrections.filter((entry) => !earlier.has(entry.kind === 'withdraw' ? entry.replaces : entry.id));
  return own.length;
}

function ownSpan(draft: CorrectionDraft | Correction): readonly Span[] {
  switch (draft.kind) {
    case 'reclassify':
      return draft.toMs === null ? [] : [{ from: draft.fromMs, to: draft.toMs }];
    case 'merge':
      return [{ from: draft.fromMs, to: draft.toMs }];
    default:
      return [];
  }
}

function spanOf(spans: readonly Span[]): Span {
  return { from: Math.min(...spans.map(({ from }) => from)), to: Math.max(...spans.map(({ to }) => to)) };
}
