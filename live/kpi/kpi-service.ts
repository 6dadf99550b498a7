import { createHash } from 'node:crypto';
import type { KpiPeriod, KpiRow } from '@nhip/core/kpi/answers';
import { kpiFigures } from '@nhip/core/kpi/figures';
import { type Period, type PeriodKind, periodAt, periodsIn } from '@nhip/core/kpi/periods';
import { sumProducts } from '@nhip/core/kpi/production';
import { lineParts, lineProducts, metersWh, scopeParts } from '@nhip/core/kpi/scope';
import { type Span, union } from '@nhip/core/kpi/span';
import { sumDowntime } from '@nhip/core/kpi/stops';
import { addSums, type Sums } from '@nhip/core/kpi/sums';
import { HttpProblem } from '@nhip/core/process/http-problem';
import type { EdgeConnection } from '@nhip/core/wire/live';
import { metricNames } from '@nhip/core/wire/vocabulary';
import type { HistoryStore } from '@nhip/stores/history-store';
import type { Ledger } from '../plant-state/ledger.ts';
import { type Covered, groupKey, type LedgerSums, machineKey } from '../plant-state/ledger-sums.ts';
import type { LedgerKeeper } from './ledger-keeper.ts';
import type { MachineReader } from './machine-history.ts';
import type { PlantTime } from './plant-time.ts';
import { allMembers, type Member, type ScopeMembers } from './scopes.ts';

/** Figures of scopes in periods: sums of the ledger, and of the history where the ledger has nothing yet. */
export interface KpiService {
  /** `site`, `line:<id>` or `machine:<id>`; undefined: there is none. */
  scope(text: string): ScopeMembers | undefined;
  /** Throws a 503 while figures of a long past are still being computed. */
  rows(query: RowsQuery): Promise<{ readonly rows: readonly KpiRow[]; readonly isMore: boolean }>;
}

export interface RowsQuery {
  readonly scope: ScopeMembers;
  readonly fromMs: number;
  readonly toMs: number;
  /** undefined: the range is one period. */
  readonly by: PeriodKind | undefined;
  readonly hasChildren: boolean;
  /** Rows that were told already, and rows at most. */
  readonly skip: number;
  readonly limit: number;
  readonly nowMs: number;
}

export interface KpiServiceDeps {
  readonly store: HistoryStore;
  readonly ledger: Ledger;
  readonly keeper: LedgerKeeper;
  readonly reader: MachineReader;
  readonly time: PlantTime;
  readonly scope: KpiService['scope'];
  edges(): readonly EdgeConnection[];
}

/** What a request may compute from samples: a day of some 160 machines. */
const maxMachineMs = 4000 * 3_600_000;
const retryAfterS = 30;

/** Sums with what is known of how they came about. */
interface Told extends Sums {
  readonly restatements: number;
  readonly computedMs: number;
}

interface Counts {
  readonly machines: readonly Member[];
  readonly instrumented: number;
}

/** Machines that are summed as one: their place in the question to the ledger. */
interface Groups {
  readonly ids: ReadonlyMap<string, number>;
  of(member: Member, line: string): number;
}

export function createKpiService({ store, ledger, keeper, reader, time, scope, edges }: KpiServiceDeps): KpiService {
  async function rows({ scope: asked, fromMs, toMs, by, hasChildren, skip, limit, nowMs }: RowsQuery) {
    const range = { from: fromMs, to: toMs };
    const all: readonly (Period | Omit<KpiPeriod, 'knownTo'>)[] = by === undefined ? [whole(range)] : periodsIn(time.calendar, by, range);
    const begun = all.filter(({ from }) => from < nowMs);
    const shown = hasChildren ? [asked, ...asked.children] : [asked];
    const firstPeriod = Math.floor(skip / shown.length);
    const periods = begun
      .slice(firstPeriod, Math.ceil((skip + limit) / shown.length))
      .map((period) => ({ ...period, knownTo: Math.min(period.to, nowMs) }));
    const isEach = hasChildren && asked.scope.kind === 'line';
    const told = await sumsOf(asked, periods, isEach, nowMs);
    const counts = new Map(shown.map((each) => [each, countsOf(each)]));
    const rows = periods.flatMap((period, i) =>
      shown.map((each) => rowOf(each, period, told(i, each), counts.get(each) ?? countsOf(each), nowMs)),
    );
    const from = skip - firstPeriod * shown.length;
    return { rows: rows.slice(from, from + limit), isMore: begun.length * shown.length > skip + limit };
  }

  function whole(range: Span): Omit<KpiPeriod, 'knownTo'> {
    const date = periodAt(time.calendar, 'day', range.from)?.date ?? '';
    return { ...range, kind: 'range', date };
  }

  /** Sums of the scope, and of its children, in each period. */
  async function sumsOf(
    asked: ScopeMembers,
    periods: readonly (Span & { readonly knownTo: number })[],
    isEach: boolean,
    nowMs: number,
  ): Promise<(period: number, scope: ScopeMembers) => Told> {
    const groups = groupsOf(asked, isEach);
    const known = periods.map(({ from, knownTo }) => ({ from, to: knownTo }));
    const span = { from: Math.min(...known.map(({ from }) => from)), to: Math.max(...known.map(({ to }) => to)) };
    if (known.length > 0) await keeper.settle(new Set(groups.ids.keys()), span, nowMs);
    const stored = await ledger.sums({ periods: known, groups: groups.ids });
    const fresh = await computeGaps(asked, known, groups, stored, nowMs);
    const sumsAt = (period: number, group: number): Told => {
      const key = groupKey(period, group);
      const [ours, theirs] = [stored.groups.get(key), fresh.get(key) ?? []];
      const all: readonly Sums[] = ours === undefined ? theirs : [ours, ...theirs];
      const [only] = all;
      const sums = only !== undefined && all.length === 1 ? only : addSums(all);
      return { ...sums, restatements: ours?.restatements ?? 0, computedMs: ours?.computedMs ?? nowMs };
    };
    return (period, each) => combine(each, groups, (group) => sumsAt(period, group));
  }

  /** From samples: what of the periods is not stored. By period and group. */
  async function computeGaps(
    asked: ScopeMembers,
    periods: readonly Span[],
    groups: Groups,
    stored: LedgerSums,
    nowMs: number,
  ): Promise<ReadonlyMap<string, readonly Sums[]>> {
    const found = new Map<string, Sums[]>();
    const add = (period: number, { machine }: Member, sums: Sums): void => {
      const key = groupKey(period, groups.ids.get(machine) ?? 0);
      found.set(key, [...(found.get(key) ?? []), sums]);
    };
    const known = new Set(store.series().map(({ machine }) => machine));
    const gaps: Gap[] = [];
    for (const member of allMembers(asked)) {
      for (const [i, period] of periods.entries()) {
        const covered = stored.covered.get(machineKey(i, member.machine));
        // Only while what another calendar had cut is being replaced, day by day.
        if (covered !== undefined && covered.ms !== covered.to - covered.from) throw beingCut();
        for (const gap of gapsOf(period, covered)) {
          for (const { span, isEmpty } of splitAtFirst(gap, member, known.has(member.machine))) {
            if (isEmpty) add(i, member, reader.nothing(member, span));
            else gaps.push({ member, period: i, span });
          }
        }
      }
    }
    const reads = readsOf(gaps);
    // Without a history there is nothing to compute, and what people said of that time is read all the same.
    const withHistory = (members: readonly Member[]) => members.filter(({ machine }) => ledger.machine(machine).firstMs !== null);
    const costMs = reads.reduce((sum, { span, members }) => sum + (span.to - span.from) * withHistory(members).length, 0);
    if (costMs > maxMachineMs) refuse(asked, periods, nowMs);
    for (const { span, members } of reads) {
      const read = await reader.read(members, span, nowMs);
      for (const gap of gaps) {
        const isInside = members.includes(gap.member) && gap.span.from >= span.from && gap.span.to <= span.to;
        const sums = isInside ? read.get(gap.member.machine)?.sums(gap.span) : undefined;
        if (sums !== undefined) add(gap.period, gap.member, sums);
      }
    }
    return found;
  }

  function refuse(asked: ScopeMembers, periods: readonly Span[], nowMs: number): never {
    const members = allMembers(asked);
    const fromMs = Math.min(...periods.map(({ from }) => from));
    keeper.want(members, fromMs);
    const done = Math.floor(100 * keeper.progress(members, fromMs, nowMs));
    throw new HttpProblem(
      503,
      `Figures of this past are still being computed (${done} % are there): try again in ${retryAfterS} s, or ask for a shorter range.`,
      { 'retry-after': String(retryAfterS) },
    );
  }

  /** What of a gap lies before the machine's history, and the rest. */
  function splitAtFirst(gap: Span, { machine }: Member, isKnown: boolean): readonly { readonly span: Span; readonly isEmpty: boolean }[] {
    const { firstMs } = ledger.machine(machine);
    if (!isKnown) return [{ span: gap, isEmpty: true }];
    if (firstMs === undefined || firstMs === null || firstMs <= gap.from) return [{ span: gap, isEmpty: false }];
    const at = Math.min(firstMs, gap.to);
    const parts = [
      { span: { from: gap.from, to: at }, isEmpty: true },
      { span: { from: at, to: gap.to }, isEmpty: false },
    ];
    return parts.filter(({ span }) => span.from < span.to);
  }

  function countsOf(each: ScopeMembers): Counts {
    const telling = new Set(store.series().flatMap(({ machine, metric }) => (metric === metricNames.state ? [machine] : [])));
    const machines = allMembers(each).filter(({ role }) => role === 'machine');
    return { machines, instrumented: machines.filter(({ machine }) => telling.has(machine)).length };
  }

  function rowOf(each: ScopeMembers, period: KpiPeriod, told: Told, { machines, instrumented }: Counts, nowMs: number): KpiRow {
    const { restatements, computedMs, parts, downtime, products } = told;
    const { from, to, knownTo, kind, date, shift } = period;
    return {
      scope: each.scope,
      period: { from, to, knownTo, kind, date, ...(shift === undefined ? {} : { shift }) },
      parts,
      figures: kpiFigures(parts),
      downtime,
      products: products.map((product) => ({ ...product, rework: 0 })),
      machines: { total: machines.length, instrumented },
      revision: 1 + restatements,
      fingerprint: createHash('sha256')
        .update(JSON.stringify([parts, downtime, products]))
        .digest('hex')
        .slice(0, 16),
      isOpen: period.to > keeper.settledEnd(nowMs) || isBehind(machines, period.to),
      computedMs: Math.min(computedMs, nowMs),
    };
  }

  /** Whether an edge may still have samples of the time before `toMs`: it is away since then, or sends a backlog. */
  function isBehind(machines: readonly Member[], toMs: number): boolean {
    const ids = new Set(machines.map(({ machine }) => machine.slice(0, machine.lastIndexOf('/'))));
    return edges().some(({ id, online, lastSeen, backlogAtMs }) => {
      const isAway = !online && lastSeen !== null && lastSeen < toMs;
      return ids.has(id) && (isAway || (backlogAtMs !== null && backlogAtMs < toMs));
    });
  }

  return { scope, rows };
}

/** Outputs, other machines and meters of each line are summed apart; with `isEach` every machine is. */
function groupsOf(asked: ScopeMembers, isEach: boolean): Groups {
  const ids = new Map<string, number>();
  const byKey = new Map<string, number>();
  const of = (member: Member, line: string): number => {
    const key = isEach || member.role === 'meter' ? member.machine : `${line} ${member.isOutput}`;
    const known = byKey.get(key) ?? byKey.size;
    byKey.set(key, known);
    return known;
  };
  const visit = (scope: ScopeMembers): void => {
    for (const member of [...scope.members, ...scope.meters]) ids.set(member.machine, of(member, scope.scope.id));
    if (scope.scope.kind === 'site') for (const child of scope.children) visit(child);
  };
  visit(asked);
  return { ids, of };
}

/** Figures of a scope from the sums of its groups, each counted once. */
function combine(each: ScopeMembers, groups: Groups, sumsAt: (group: number) => Told): Told {
  const { kind, id } = each.scope;
  const meterWh = metersWh(each.meters.map((meter) => sumsAt(groups.of(meter, id)).parts.energyWh));
  if (kind === 'site') {
    const lines = each.children.map((line) => combine(line, groups, sumsAt));
    const parts = scopeParts(
      lines.map((line) => line.parts),
      meterWh,
    );
    return { parts, ...otherSums(lines), products: sumProducts(lines.map(({ products }) => products)) };
  }
  const members = new Map(each.members.map((member) => [groups.of(member, id), member.isOutput]));
  const list = [...members].map(([group, isOutput]) => ({ told: sumsAt(group), isOutput }));
  const [first] = list;
  if (kind === 'machine' && first !== undefined) return first.told;
  const told = list.map((member) => member.told);
  return {
    parts: lineParts(
      list.map(({ told: { parts }, isOutput }) => ({ parts, isOutput })),
      meterWh,
    ),
    products: lineProducts(list.map(({ told: { products }, isOutput }) => ({ parts: products, isOutput }))),
    ...otherSums(told),
  };
}

function otherSums(list: readonly Told[]): Pick<Told, 'downtime' | 'restatements' | 'computedMs'> {
  return {
    downtime: sumDowntime(list.map(({ downtime }) => downtime)),
    restatements: list.reduce((sum, { restatements }) => sum + restatements, 0),
    computedMs: Math.min(...list.map(({ computedMs }) => computedMs)),
  };
}

interface Gap {
  readonly member: Member;
  readonly period: number;
  readonly span: Span;
}

function beingCut(): HttpProblem {
  const detail = 'Figures of this time are being cut by the new calendar of the plant: try again in a few seconds.';
  return new HttpProblem(503, detail, { 'retry-after': '5' });
}

/** Gaps that touch are read at once, and machines with the same gaps together. */
function readsOf(gaps: readonly Gap[]): readonly { readonly span: Span; readonly members: readonly Member[] }[] {
  const byMember = new Map<Member, Span[]>();
  for (const { member, span } of gaps) byMember.set(member, [...(byMember.get(member) ?? []), span]);
  const reads = new Map<string, { readonly span: Span; readonly members: Member[] }>();
  for (const [member, spans] of byMember) {
    for (const span of union(spans)) {
      const key = `${span.from} ${span.to}`;
      const read = reads.get(key) ?? { span, members: [] };
      read.members.push(member);
      reads.set(key, read);
    }
  }
  return [...reads.values()];
}

/** What of the period is not stored: before and behind what is, or all of it when that has a hole. */
function gapsOf(period: Span, covered: Covered | undefined): readonly Span[] {
  if (covered === undefined) return [period];
  const gaps = [
    { from: period.from, to: covered.from },
    { from: covered.to, to: period.to },
  ];
  return gaps.filter(({ from, to }) => from < to);
}
