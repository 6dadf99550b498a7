import { createHash } from 'node:crypto';
import type { Span } from '@nhip/core/kpi/span';
import { contextRange } from '@nhip/core/kpi/time-model';
import type { Log } from '@nhip/core/process/log';
import type { PlantModel } from '@nhip/core/wire/plant';
import { metricNames } from '@nhip/core/wire/vocabulary';
import type { HistoryStore } from '@nhip/stores/history-store';
import type { Dirty, DirtyCause } from '../plant-state/dirty-marks.ts';
import type { Ledger, SegmentWrite } from '../plant-state/ledger.ts';
import type { MachineReader } from './machine-history.ts';
import { type PlantTime, spansBetween } from './plant-time.ts';
import type { Member } from './scopes.ts';

/** Writes the ledger: closes what is over, fills the past, and computes again what changed. One step at a time, in order of need. */
export interface LedgerKeeper {
  /** Does the most urgent piece of work; false: there is none now. */
  step(nowMs: number): Promise<boolean>;
  /** Marks days of which the history holds more than was counted. False: there are none in the span. */
  findLate(member: Member, span: Span, nowMs: number): Promise<boolean>;
  /** Computes what people changed of these machines, at most a few pieces of it. */
  settle(machines: ReadonlySet<string>, span: Span, nowMs: number): Promise<void>;
  /** Somebody asked for figures of these machines from `fromMs` on: their past comes first. */
  want(members: readonly Member[], fromMs: number): void;
  /** End of what can be stored at that time. */
  settledEnd(nowMs: number): number;
  /** 1 when the past of these machines is stored, as far as it is known. */
  progress(members: readonly Member[], fromMs: number, nowMs: number): number;
  stats(): { readonly frozenDays: number; readonly behindMs: number };
}

export interface KeeperDeps {
  readonly store: HistoryStore;
  readonly ledger: Ledger;
  readonly reader: MachineReader;
  readonly time: PlantTime;
  readonly plant: PlantModel | null;
  /** Every machine and meter, once. */
  members(): readonly Member[];
  readonly unknownAfterMs: number;
  readonly log: Log;
}

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** Machines whose segments are computed in one step. */
const atOnce = 10;
/** Days that a late sample may change, one after the other. */
const maxFollowedDays = 5;
const maxSettled = 8;
const maxWanted = 1000;
const lookEveryMs = 3_600_000;
const modelSetting = 'plantModel';
/** Metrics that figures come of; a history begins with the first sample of any. */
const countedMetrics: Readonly<Record<Member['role'], readonly string[]>> = {
  machine: [metricNames.state, metricNames.countGood, metricNames.countReject, metricNames.countTotal, metricNames.energyImport],
  meter: [metricNames.energyImport],
};

export function createLedgerKeeper({ store, ledger, reader, time, plant, members, unknownAfterMs, log }: KeeperDeps): LedgerKeeper {
  const wanted = new Map<string, number>();
  const lookAgainMs = new Map<string, number>();
  let frozenDays = 0;
  let lastNowMs = 0;
  let isModelChecked = false;
  /** One at a time: who computes reads what is stored and writes it. */
  let running: Promise<unknown> = Promise.resolve();

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = running.then(work);
    running = done.catch(() => undefined);
    return done;
  }

  const settleMs = Math.max(unknownAfterMs, time.rules.microStopMs) + minuteMs;

  function settledEnd(nowMs: number): number {
    const to = nowMs - settleMs;
    const cuts = time.cuts({ from: to - 2 * hourMs, to });
    // The last of them is `to` itself, which is a cut only when it is one for a longer span too.
    const isCut = time.cuts({ from: to - 1, to: to + 1 }).length > 2;
    return isCut ? to : (cuts.at(-2) ?? to - 2 * hourMs);
  }

  /** What a day of a machine is computed with, but for samples and corrections. */
  function configOf(machine: string, span: Span): string {
    const planned = time.planned(span);
    const { from } = contextRange(span, planned, time.rules);
    const seen = planned.filter((each) => each.to > from);
    const model = plant?.machines[machine];
    const input = [
      seen,
      time.cuts(span),
      time.rules.microStopMs,
      plant?.reasonCodes ?? {},
      model?.idealCycleMs,
      model?.rolloverAt,
      unknownAfterMs,
    ];
    return createHash('sha256').update(JSON.stringify(input)).digest('hex').slice(0, 16);
  }

  /** Samples of a machine by hour, for whole hours that are over. */
  async function hoursOf(machine: string, { from, to }: Span, nowMs: number): Promise<ReadonlyMap<number, number>> {
    const fromMs = Math.floor(from / hourMs) * hourMs;
    const toMs = Math.min(Math.ceil(to / hourMs) * hourMs, Math.floor((nowMs - settleMs) / hourMs) * hourMs);
    const counts = new Map<number, number>();
    if (fromMs >= toMs) return counts;
    for (const { hourMs: at, stored } of await store.delivery(machine, fromMs, toMs)) counts.set(at, (counts.get(at) ?? 0) + stored);
    return counts;
  }

  /** Computes and writes a span within one day. Resolves with what was restated, by machine. */
  async function compute(
    list: readonly Member[],
    span: Span,
    cause: SegmentWrite['cause'],
    nowMs: number,
  ): Promise<ReadonlyMap<string, readonly Span[]>> {
    const day = time.day(span.from);
    const cuts = time.cuts(span);
    // Counted before they are read: what comes in between is noticed later.
    const hours = new Map<string, ReadonlyMap<number, number>>();
    for (const { machine } of list) hours.set(machine, await hoursOf(machine, span, nowMs));
    const read = await reader.read(list, span, nowMs, cuts);
    const writes = list.map(({ machine }) => ({
      ...{ machine, ...span, cause, hours: hours.get(machine) ?? new Map(), config: configOf(machine, day) },
      segments: spansBetween(cuts).map((part) => ({
        ...part,
        sums: (read.get(machine) as NonNullable<ReturnType<typeof read.get>>).sums(part),
      })),
    }));
    const results = await ledger.replace(writes, nowMs);
    return new Map(results.map(({ machine, changed }) => [machine, changed]));
  }

  /** Computes the part of a day again that is stored. */
  async function again(member: Member, day: Span, cause: DirtyCause, nowMs: number): Promise<readonly Span[]> {
    const { stored } = ledger.machine(member.machine);
    if (stored === undefined) return [];
    const span = { from: Math.max(day.from, stored.from), to: Math.min(day.to, stored.to) };
    if (span.from >= span.to) return [];
    if (await isForgotten(member.machine, span, nowMs)) {
      frozenDays++;
      await ledger.keepHours(member.machine, await hoursOf(member.machine, span, nowMs));
      log.warn(
        { machine: member.machine, day: new Date(day.from).toISOString() },
        'Figures stay as they are: the history holds less than they were computed from',
      );
      return [];
    }
    return (await compute([member], span, cause, nowMs)).get(member.machine) ?? [];
  }

  /** Whether the history holds less than it did, because samples are kept only for a time. */
  async function isForgotten(machine: string, span: Span, nowMs: number): Promise<boolean> {
    const before = await ledger.hours(machine, span);
    if (before.size === 0) return false;
    const now = await hoursOf(machine, span, nowMs);
    return [...before].some(([hour, stored]) => (now.get(hour) ?? 0) < stored);
  }

  /** A day, and those behind it as long as what changes reaches their end. */
  async function againFrom(member: Member, atMs: number, cause: DirtyCause, nowMs: number): Promise<void> {
    let day: Span = time.day(atMs);
    for (let i = 0; i < maxFollowedDays; i++) {
      const changed = await again(member, day, cause, nowMs);
      if (changed.at(-1)?.to !== day.to) return;
      day = time.day(day.to);
    }
  }

  async function doDirty(dirty: Dirty, nowMs: number): Promise<void> {
    const member = members().find(({ machine }) => machine === dirty.machine);
    const { stored } = ledger.machine(dirty.machine);
    // Whoever computes it from now on sees why it was marked.
    if (stored === undefined || dirty.to <= stored.from || dirty.from >= stored.to) return ledger.clearDirty(dirty, dirty);
    // Newest day first.
    const day = time.day(Math.min(dirty.to, stored.to) - 1);
    if (member !== undefined) {
      const isSame = dirty.cause === 'plantModel' && (await ledger.configs(dirty.machine, day)).join() === configOf(dirty.machine, day);
      if (dirty.cause === 'lateData') await againFrom(member, day.from, dirty.cause, nowMs);
      else if (!isSame) await again(member, day, dirty.cause, nowMs);
    }
    await ledger.clearDirty(dirty, { from: day.from, to: Math.max(day.to, dirty.to) });
  }

  async function closeNext(nowMs: number): Promise<boolean> {
    const end = settledEnd(nowMs);
    const open = members().filter(({ machine }) => {
      const { stored, firstMs } = ledger.machine(machine);
      return firstMs !== null && firstMs !== undefined && firstMs < end && (stored === undefined || stored.to < end);
    });
    const [first] = open;
    if (first === undefined) return false;
    const beginOf = ({ machine }: Member): number => ledger.machine(machine).stored?.to ?? time.day(end - 1).from;
    const from = beginOf(first);
    const group = open.filter((member) => beginOf(member) === from).slice(0, atOnce);
    await compute(group, { from, to: Math.min(end, time.day(from).to) }, 'closed', nowMs);
    return true;
  }

  async function fillNext(nowMs: number): Promise<boolean> {
    const behind = members().filter((member) => pastOf(member) > 0);
    const member = behind.find(({ machine }) => wanted.has(machine)) ?? newest(behind);
    if (member === undefined) return false;
    const { stored } = ledger.machine(member.machine);
    if (stored === undefined) return false;
    const day = time.day(stored.from - 1);
    // Those that are as far: one question and one transaction for all of them.
    const isAsFar = ({ machine }: Member): boolean =>
      ledger.machine(machine).stored?.from === stored.from && wanted.has(machine) === wanted.has(member.machine);
    const group = behind.filter(isAsFar).slice(0, atOnce);
    await compute(group, { from: day.from, to: stored.from }, 'closed', nowMs);
    for (const { machine } of group) if (day.from <= (wanted.get(machine) ?? Number.NEGATIVE_INFINITY)) wanted.delete(machine);
    return true;
  }

  /** The one whose past is filled least. */
  function newest(list: readonly Member[]): Member | undefined {
    const fromOf = ({ machine }: Member): number => ledger.machine(machine).stored?.from ?? 0;
    return list.reduce<Member | undefined>((best, each) => (best === undefined || fromOf(each) > fromOf(best) ? each : best), undefined);
  }

  /** What of its past is not stored yet, ms. */
  function pastOf({ machine }: Member, sinceMs = Number.NEGATIVE_INFINITY): number {
    const { stored, firstMs } = ledger.machine(machine);
    if (stored === undefined || firstMs === null || firstMs === undefined) return 0;
    return Math.max(0, stored.from - Math.max(firstMs, sinceMs));
  }

  /** Where the history of a machine begins: once, so that its past comes to an end. */
  async function lookForFirst(nowMs: number): Promise<boolean> {
    const known = new Set(store.series().map(({ machine }) => machine));
    const member = members().find(({ machine }) => known.has(machine) && isDueToLook(machine, nowMs));
    if (member === undefined) return false;
    lookAgainMs.set(member.machine, nowMs + lookEveryMs);
    const { firstMs } = ledger.machine(member.machine);
    let found: number | null = null;
    for (const metric of countedMetrics[member.role]) {
      // Before what is found already, where there is nothing most often.
      const { t } = await store.range({ machine: member.machine, metric, fromMs: earliestMs, toMs: found ?? nowMs, limit: 1 });
      if (t[0] !== undefined) found = time.day(t[0]).from;
    }
    // What retention took away was there all the same.
    if (found === firstMs || (found !== null && firstMs != null && found > firstMs) || (found === null && firstMs != null)) return false;
    await ledger.setFirst(member.machine, found);
    return true;
  }

  /** A machine without history may get one, and an older one may be brought in later. */
  function isDueToLook(machine: string, nowMs: number): boolean {
    const dueMs = lookAgainMs.get(machine);
    if (dueMs !== undefined) return nowMs >= dueMs;
    const { firstMs } = ledger.machine(machine);
    if (firstMs === undefined || firstMs === null) return true;
    lookAgainMs.set(machine, nowMs + lookEveryMs);
    return false;
  }

  /** Once: what was computed with another plant model is looked at again. */
  async function checkModel(): Promise<boolean> {
    if (isModelChecked) return false;
    isModelChecked = true;
    const { machines, ...rest } = plant ?? { machines: {} };
    const value = createHash('sha256')
      .update(JSON.stringify([machines, rest, unknownAfterMs]))
      .digest('hex');
    const before = await ledger.setting(modelSetting);
    if (before === value) return false;
    const stored =
      before === undefined
        ? []
        : members().flatMap(({ machine }) => {
            const span = ledger.machine(machine).stored;
            return span === undefined ? [] : [{ machine, ...span, cause: 'plantModel' as const }];
          });
    await ledger.markDirty(stored, { name: modelSetting, value });
    return stored.length > 0;
  }

  return {
    settledEnd,
    step(nowMs) {
      lastNowMs = nowMs;
      return inTurn(async () => {
        if (await checkModel()) return true;
        const dirty = mostUrgent(ledger.dirty());
        if (dirty !== undefined && dirty.cause !== 'plantModel') {
          await doDirty(dirty, nowMs);
          return true;
        }
        if ((await lookForFirst(nowMs)) || (await closeNext(nowMs)) || (await fillNext(nowMs))) return true;
        if (dirty === undefined) return false;
        await doDirty(dirty, nowMs);
        return true;
      });
    },
    async findLate({ machine }, span, nowMs) {
      const { stored } = ledger.machine(machine);
      if (stored === undefined) return false;
      const part = { from: Math.max(span.from, stored.from), to: Math.min(span.to, stored.to) };
      if (part.from >= part.to) return false;
      const before = await ledger.hours(machine, part);
      const days = new Map<number, Dirty>();
      for (const [hour, count] of await hoursOf(machine, part, nowMs)) {
        if (hour < part.from || hour + hourMs > part.to || count <= (before.get(hour) ?? 0)) continue;
        const day = time.day(hour);
        days.set(day.from, { machine, from: day.from, to: day.to, cause: 'lateData' });
        // What begins in the last minutes of the day before may end otherwise.
        if (hour - hourMs < day.from)
          days.set(day.from - 1, { machine, from: time.day(day.from - 1).from, to: day.from, cause: 'lateData' });
      }
      const isMarked = (each: Dirty): boolean =>
        ledger.dirty().some((dirty) => dirty.machine === machine && dirty.from <= each.from && dirty.to >= each.to);
      const late = [...days.values()].filter((each) => !isMarked(each));
      if (late.length > 0) await ledger.markDirty(late);
      return late.length > 0;
    },
    async settle(machines, span, nowMs) {
      const isMine = (each: Dirty): boolean =>
        each.cause === 'correction' && machines.has(each.machine) && each.from < span.to && each.to > span.from;
      for (let i = 0; i < maxSettled && ledger.dirty().some(isMine); i++) {
        await inTurn(async () => {
          const next = ledger.dirty().find(isMine);
          if (next !== undefined) await doDirty(next, nowMs);
        });
      }
    },
    want(list, fromMs) {
      for (const { machine } of list) if (wanted.size < maxWanted) wanted.set(machine, Math.min(fromMs, wanted.get(machine) ?? fromMs));
    },
    progress(list, fromMs, nowMs) {
      const wholeMs = Math.max(1, (nowMs - fromMs) * list.length);
      return 1 - list.reduce((sum, member) => sum + pastOf(member, fromMs), 0) / wholeMs;
    },
    stats() {
      const ends = members().flatMap(({ machine }) => ledger.machine(machine).stored?.to ?? []);
      const end = lastNowMs === 0 ? 0 : settledEnd(lastNowMs);
      return { frozenDays, behindMs: ends.length === 0 ? 0 : Math.max(0, end - Math.min(...ends)) };
    },
  };
}

/** 1970 at the earliest: no machine told Nhịp anything before. */
const earliestMs = 0;

function mostUrgent(list: readonly Dirty[]): Dirty | undefined {
  const order: readonly DirtyCause[] = ['correction', 'lateData', 'plantModel'];
  return [...list].sort((a, b) => order.indexOf(a.cause) - order.indexOf(b.cause) || b.to - a.to)[0];
}
