import { isReportedUnreduced } from '@nhip/core/wire/vocabulary';
import type { MetricDefinition, Reading, ReportRule } from '../driver.ts';

/**
 * Report by exception for one device: which readings leave the edge.
 *
 * A reading is reported when it is the first one, when its quality changed, when its value differs from the last *reported* one by
 * more than the deadband (so a slow drift is not lost), or when the last report is older than the heartbeat. States, counters,
 * jobs and alarms have no deadband: every change is reported. What is historical is reported and changes nothing.
 */
export interface ReportFilter {
  /** The readings to report, in their order. `nowMs` is monotonic. */
  select(readings: readonly Reading[], nowMs: number): readonly Reading[];
  /**
   * For sources that speak only when something changes: the last readings whose heartbeat is due, as reported again now. Their
   * timestamps go on in the source's time.
   */
  due(nowMs: number): readonly Reading[];
  /** Forgets everything: the next reading of every metric is reported. */
  reset(): void;
}

export const defaultHeartbeatMs = 60_000;

interface Reported {
  reading: Reading;
  atMs: number;
  /** The newest reading, reported or not. */
  latest: Reading;
  latestAtMs: number;
}

export function createReportFilter(metrics: readonly MetricDefinition[]): ReportFilter {
  const rules = new Map(metrics.map((metric) => [metric.name, ruleOf(metric)]));
  const reported = new Map<string, Reported>();

  const passes = (reading: Reading, nowMs: number): boolean => {
    if (reading.isHistorical === true) return true;
    const last = reported.get(reading.metric);
    if (last === undefined) {
      reported.set(reading.metric, { reading, atMs: nowMs, latest: reading, latestAtMs: nowMs });
      return true;
    }
    last.latest = reading;
    last.latestAtMs = nowMs;
    const rule = rules.get(reading.metric) ?? plainRule;
    const isNews =
      reading.quality !== last.reading.quality || differs(reading.value, last.reading.value, rule) || nowMs - last.atMs >= rule.heartbeatMs;
    if (!isNews) return false;
    last.reading = reading;
    last.atMs = nowMs;
    return true;
  };

  return {
    select: (readings, nowMs) => readings.filter((reading) => passes(reading, nowMs)),
    due: (nowMs) => {
      const again: Reading[] = [];
      for (const [metric, last] of reported) {
        if (nowMs - last.atMs < (rules.get(metric) ?? plainRule).heartbeatMs) continue;
        const reading = { ...last.latest, timestampMs: Math.round(last.latest.timestampMs + nowMs - last.latestAtMs) };
        reported.set(metric, { reading, atMs: nowMs, latest: reading, latestAtMs: nowMs });
        again.push(reading);
      }
      return again;
    },
    reset: () => reported.clear(),
  };
}

interface Rule {
  readonly deadband: number;
  readonly deadbandPercent: number;
  readonly heartbeatMs: number;
}

const plainRule: Rule = { deadband: 0, deadbandPercent: 0, heartbeatMs: defaultHeartbeatMs };

function ruleOf({ name, report }: { readonly name: string; readonly report?: ReportRule | undefined }): Rule {
  const heartbeatMs = report?.heartbeatMs ?? defaultHeartbeatMs;
  if (isReportedUnreduced(name)) return { ...plainRule, heartbeatMs };
  return { deadband: report?.deadband ?? 0, deadbandPercent: report?.deadbandPercent ?? 0, heartbeatMs };
}

function differs(value: Reading['value'], last: Reading['value'], rule: Rule): boolean {
  if (value === last) return false;
  if (!isNumeric(value) || !isNumeric(last)) return true;
  // Between 64-bit integers the difference is taken exactly: as numbers, neighbours above 2^53 look equal.
  const difference = typeof value === 'bigint' && typeof last === 'bigint' ? Number(value - last) : Number(value) - Number(last);
  const limit = Math.max(rule.deadband, (Math.abs(Number(last)) * rule.deadbandPercent) / 100);
  return Math.abs(difference) > limit;
}

function isNumeric(value: Reading['value']): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
