import type { MetricView } from '@nhip/core/wire/live';

/** Samples of one message differ a little; a step back of more means that the edge's clock was set. */
const clockStepMs = 60_000;

/** The newest value of every metric of one machine. */
export interface MetricValues {
  /** Takes a value of a live frame. The newest is the one that came last: time stamps are by the clock of the edge, which may be set back. */
  live(metric: MetricView): { readonly isSetBack: boolean };
  /** Takes a value of an answer, which may be older than the frames that came meanwhile; false when one has told the metric. */
  fetched(metric: MetricView): boolean;
  all(): readonly MetricView[];
}

export function createMetricValues(): MetricValues {
  const byName = new Map<string, MetricView>();
  return {
    live(metric) {
      const before = byName.get(metric.name);
      byName.set(metric.name, metric);
      return { isSetBack: before !== undefined && before.t - metric.t > clockStepMs };
    },
    fetched(metric) {
      if (byName.has(metric.name)) return false;
      byName.set(metric.name, metric);
      return true;
    },
    all: () => [...byName.values()],
  };
}
