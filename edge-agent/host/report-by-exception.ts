import { quality } from '@nhip/core/wire/sample';
import { isReportedUnreduced } from '@nhip/core/wire/vocabulary';
import type { MetricDefinition, Reading, ReportRule } from '../driver.ts';
import { createSwingingDoor, type SwingingDoor } from './swinging-door.ts';

/**
 * Report by exception for one device: which readings leave the edge.
 *
 * A reading is reported when it is the first one, when its quality changed, when its value differs from the last *reported* one by
 * more than the deadband (so a slow drift is not lost), or when the last report is older than the heartbeat. States, counters,
 * jobs and alarms have no deadband: every change is reported. What is historical is reported and changes nothing.
 *
 * With a swinging door (see there) a reading may be held back and reported later with its own time, before a newer one. Values that are no
 * finite number, and any quality but good, end the line: what is held is reported first.
 */
export interface ReportFilter {
  /** What to report now, per metric in the order of the readings; held ones from before may be among it. `nowMs` is monotonic. */
  select(readings: readonly Reading[], nowMs: number): readonly Reading[];
  /**
   * For sources that speak only when something changes: the last readings whose heartbeat is due, as reported again now. Their
   * timestamps go on in the source's time.
   */
  due(nowMs: number): readonly Reading[];
  /** Held readings that what was reported last is too far from for too long. */
  overdue(nowMs: number): readonly Reading[];
  /** All held readings: the source falls silent. */
  release(): readonly Reading[];
  /** Forgets everything: the next reading of every metric is reported. What is held must have been released. */
  reset(): void;
  /** Whether it can hold readings back at all. */
  readonly holds: boolean;
}

export const defaultHeartbeatMs = 60_000;
const defaultMaxDelayMs = 10_000;

interface Reported {
  reading: Reading;
  atMs: number;
  /** The newest reading, reported or not. */
  latest: Reading;
  latestAtMs: number;
  readonly door: SwingingDoor | undefined;
}

export function createReportFilter(metrics: readonly MetricDefinition[]): ReportFilter {
  const rules = new Map(metrics.map((metric) => [metric.name, ruleOf(metric)]));
  const reported = new Map<string, Reported>();
  const holds = [...rules.values()].some(({ deviation }) => deviation !== undefined);

  const passes = (reading: Reading, last: Reported, nowMs: number): boolean => {
    const rule = rules.get(reading.metric) ?? plainRule;
    return (
      reading.quality !== last.reading.quality || differs(reading.value, last.reading.value, rule) || nowMs - last.atMs >= rule.heartbeatMs
    );
  };

  const throughDoor = (door: SwingingDoor, reading: Reading, last: Reported, nowMs: number): readonly Reading[] => {
    if (!isOnLine(reading)) {
      // A held reading was good and a number: this one is another quality or another kind of value.
      if (!passes(reading, last, nowMs)) return [];
      const out = [...door.release(), reading];
      door.reset();
      return out;
    }
    const out = door.take(reading, nowMs);
    return nowMs - last.atMs >= (rules.get(reading.metric) ?? plainRule).heartbeatMs ? [...out, ...door.release()] : out;
  };

  const first = (reading: Reading, nowMs: number): void => {
    const rule = rules.get(reading.metric) ?? plainRule;
    const door = rule.deviation === undefined ? undefined : createSwingingDoor(rule.deviation, rule.maxDelayMs);
    if (isOnLine(reading)) door?.startAt(reading);
    reported.set(reading.metric, { reading, atMs: nowMs, latest: reading, latestAtMs: nowMs, door });
  };

  const take = (reading: Reading, nowMs: number, out: Reading[]): void => {
    const last = reading.isHistorical === true ? undefined : reported.get(reading.metric);
    if (last === undefined) {
      if (reading.isHistorical !== true) first(reading, nowMs);
      out.push(reading);
      return;
    }
    last.latest = reading;
    last.latestAtMs = nowMs;
    if (last.door !== undefined) {
      for (const each of throughDoor(last.door, reading, last, nowMs)) {
        out.push(each);
        last.reading = each;
        last.atMs = nowMs;
      }
    } else if (passes(reading, last, nowMs)) {
      out.push(reading);
      last.reading = reading;
      last.atMs = nowMs;
    }
  };

  /** What the doors let go. */
  const fromDoors = (nowMs: number | undefined, open: (door: SwingingDoor) => readonly Reading[]): readonly Reading[] => {
    const out: Reading[] = [];
    if (!holds) return out;
    for (const last of reported.values()) {
      if (last.door === undefined) continue;
      for (const reading of open(last.door)) {
        out.push(reading);
        last.reading = reading;
        last.atMs = nowMs ?? last.atMs;
      }
    }
    return out;
  };

  return {
    holds,
    select: (readings, nowMs) => {
      const out: Reading[] = [];
      for (const reading of readings) take(reading, nowMs, out);
      return out;
    },
    overdue: (nowMs) => fromDoors(nowMs, (door) => door.overdue(nowMs)),
    release: () => fromDoors(undefined, (door) => door.release()),
    due: (nowMs) => {
      const again: Reading[] = [];
      for (const [metric, last] of reported) {
        if (nowMs - last.atMs < (rules.get(metric) ?? plainRule).heartbeatMs) continue;
        again.push(...(last.door?.release() ?? []));
        const reading = { ...last.latest, timestampMs: Math.round(last.latest.timestampMs + nowMs - last.latestAtMs) };
        if (isOnLine(reading)) last.door?.startAt(reading);
        Object.assign(last, { reading, atMs: nowMs, latest: reading, latestAtMs: nowMs });
        again.push(reading);
      }
      return again;
    },
    reset: () => reported.clear(),
  };
}

interface Rule {
  readonly deadband: number;
  /** Of the last reported value; 0 when the metric has a range. */
  readonly deadbandPercent: number;
  readonly heartbeatMs: number;
  /** Of the swinging door. */
  readonly deviation: number | undefined;
  readonly maxDelayMs: number;
}

const plainRule: Rule = {
  deadband: 0,
  deadbandPercent: 0,
  heartbeatMs: defaultHeartbeatMs,
  deviation: undefined,
  maxDelayMs: defaultMaxDelayMs,
};

function ruleOf({ name, report = {} }: { readonly name: string; readonly report?: ReportRule | undefined }): Rule {
  const heartbeatMs = report.heartbeatMs ?? defaultHeartbeatMs;
  if (isReportedUnreduced(name)) return { ...plainRule, heartbeatMs };
  const { range, deadbandPercent = 0 } = report;
  return {
    deadband:
      range === undefined ? (report.deadband ?? 0) : Math.max(report.deadband ?? 0, ((range[1] - range[0]) * deadbandPercent) / 100),
    deadbandPercent: range === undefined ? deadbandPercent : 0,
    heartbeatMs,
    deviation: report.swingingDoor,
    maxDelayMs: report.maxDelayMs ?? defaultMaxDelayMs,
  };
}

function differs(value: Reading['value'], last: Reading['value'], rule: Rule): boolean {
  if (Object.is(value, last)) return false;
  if (!isFiniteNumber(value) || !isFiniteNumber(last)) return true;
  // Between 64-bit integers the difference is taken exactly: as numbers, neighbours above 2^53 look equal.
  const difference = typeof value === 'bigint' && typeof last === 'bigint' ? Number(value - last) : Number(value) - Number(last);
  const limit = Math.max(rule.deadband, (Math.abs(Number(last)) * rule.deadbandPercent) / 100);
  return Math.abs(difference) > limit;
}

/** Whether a swinging door can draw a line through it. */
function isOnLine({ value, quality: code }: Reading): boolean {
  return code === quality.good && isFiniteNumber(value);
}

function isFiniteNumber(value: Reading['value']): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value));
}
