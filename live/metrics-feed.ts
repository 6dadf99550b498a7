import type { MetricsFrame } from '@nhip/core/wire/live';
import type { LiveHub } from './hub.ts';

/** Machines with more metrics than this are sent once a second instead of at every tick. */
const manyMetrics = 100;
const manyEveryMs = 1000;

/** Metric frames of the machines that somebody watches. A frame is always whole, so that a lost one does not matter. */
export interface MetricsFeed {
  /** Frames of the watched machines whose metrics changed since their last frame. */
  changed(watched: ReadonlySet<string>, nowMs: number): readonly MetricsFrame[];
  /** undefined for a machine that was never heard of. */
  whole(machine: string, nowMs: number): MetricsFrame | undefined;
}

export function createMetricsFeed(hub: LiveHub): MetricsFeed {
  const sent = new Map<string, { readonly version: number; readonly atMs: number; readonly size: number }>();

  function whole(machine: string, nowMs: number): MetricsFrame | undefined {
    const metrics = hub.metrics(machine);
    return metrics === undefined ? undefined : { k: 'm', t: nowMs, machine, metrics };
  }

  function isDue(machine: string, nowMs: number): boolean {
    const last = sent.get(machine);
    if (last === undefined) return true;
    return last.version !== hub.version(machine) && (last.size <= manyMetrics || Math.abs(nowMs - last.atMs) >= manyEveryMs);
  }

  return {
    changed(watched, nowMs) {
      for (const machine of sent.keys()) if (!watched.has(machine)) sent.delete(machine);
      const frames: MetricsFrame[] = [];
      for (const machine of watched) {
        const frame = isDue(machine, nowMs) ? whole(machine, nowMs) : undefined;
        if (frame === undefined) continue;
        sent.set(machine, { version: hub.version(machine), atMs: nowMs, size: frame.metrics.length });
        frames.push(frame);
      }
      return frames;
    },
    whole,
  };
}
