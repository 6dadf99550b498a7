import type { Value } from '@nhip/core/wire/sample';
import type { Buckets, Columns, DeliveryRow } from '../../history-store.ts';

export interface PlainSample {
  readonly machine: string;
  readonly metric: string;
  readonly t: number;
  readonly n: number;
  readonly v: Value;
}

/** What a history store should answer, from a plain list: nothing in it is clever. */
export class PlainHistory {
  readonly samples: PlainSample[] = [];

  of(machine: string, metric: string, fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY): readonly PlainSample[] {
    return this.samples
      .filter((each) => each.machine === machine && each.metric === metric && each.t >= fromMs && each.t < toMs)
      .sort((a, b) => a.t - b.t || a.n - b.n);
  }

  range(machine: string, metric: string, fromMs: number, toMs: number, limit: number): Columns {
    return columns(this.of(machine, metric, fromMs, toMs).slice(0, limit));
  }

  lastBefore(machine: string, metric: string, atMs: number): { readonly t: number; readonly v: Value } | undefined {
    const last = this.of(machine, metric, undefined, atMs).at(-1);
    return last === undefined ? undefined : { t: last.t, v: last.v };
  }

  changes(machine: string, metric: string, fromMs: number, toMs: number): Columns {
    return columns([...this.of(machine, metric, undefined, fromMs).slice(-1), ...this.of(machine, metric, fromMs, toMs)]);
  }

  buckets(machine: string, metric: string, fromMs: number, toMs: number, everyMs: number): Buckets {
    const found = new Map<number, number[]>();
    for (const { t, v } of this.of(machine, metric, fromMs, toMs)) {
      if (typeof v !== 'number' && typeof v !== 'boolean') continue;
      const start = Math.floor(t / everyMs) * everyMs;
      found.set(start, [...(found.get(start) ?? []), Number(v)]);
    }
    const all = [...found.values()];
    return {
      t: [...found.keys()],
      min: all.map((values) => Math.min(...values)),
      max: all.map((values) => Math.max(...values)),
      avg: all.map((values) => values.reduce((sum, v) => sum + v, 0) / values.length),
      last: all.map((values) => values.at(-1) ?? Number.NaN),
      count: all.map((values) => values.length),
    };
  }

  delivery(machine: string, fromMs: number, toMs: number): readonly DeliveryRow[] {
    const counts = new Map<string, DeliveryRow>();
    for (const { metric, t } of this.samples.filter((each) => each.machine === machine && each.t >= fromMs && each.t < toMs)) {
      const hourMs = Math.floor(t / 3_600_000) * 3_600_000;
      const key = `${metric} ${hourMs}`;
      counts.set(key, { metric, hourMs, lost: 0, deadLettered: 0, stored: (counts.get(key)?.stored ?? 0) + 1 });
    }
    return [...counts.values()].sort((a, b) => (a.metric === b.metric ? a.hourMs - b.hourMs : a.metric < b.metric ? -1 : 1));
  }
}

function columns(samples: readonly PlainSample[]): Columns {
  return { t: samples.map(({ t }) => t), v: samples.map(({ v }) => v), q: samples.map(() => 192) };
}
