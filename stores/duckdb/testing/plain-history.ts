import { counterIncrease } from '@nhip/core/kpi/counter';
import type { Value } from '@nhip/core/wire/sample';
import type { Buckets, Columns, DeliveryRow, Gains, StateTimes } from '../../history-store.ts';

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

  gains(machine: string, metric: string, fromMs: number, toMs: number, everyMs: number): Gains {
    const found = new Map<number, number>();
    let last: number | null = null;
    for (const { t, v } of this.of(machine, metric, undefined, toMs)) {
      if (typeof v !== 'number' && typeof v !== 'boolean') continue;
      const gain = counterIncrease(last, Number(v));
      last = Number(v);
      const bucket = Math.floor(t / everyMs) * everyMs;
      if (t >= fromMs) found.set(bucket, (found.get(bucket) ?? 0) + gain);
    }
    return { t: [...found.keys()], gain: [...found.values()] };
  }

  /** By the definition: what held at every change, from change to change and cut at every bucket. */
  stateTimes(machine: string, metric: string, fromMs: number, toMs: number, everyMs: number): StateTimes {
    const found = new Map<string, { t: number; state: string | null; ms: number }>();
    const samples = this.of(machine, metric, undefined, toMs);
    for (const [i, { t, v }] of samples.entries()) {
      const state = typeof v === 'string' ? v : null;
      const end = samples[i + 1]?.t ?? toMs;
      for (let at = Math.max(t, fromMs); at < end; ) {
        const bucket = Math.floor(at / everyMs) * everyMs;
        const to = Math.min(end, bucket + everyMs);
        const key = `${bucket} ${JSON.stringify(state)}`;
        found.set(key, { t: bucket, state, ms: (found.get(key)?.ms ?? 0) + to - at });
        at = to;
      }
    }
    const rows = [...found.values()].sort((a, b) => a.t - b.t || (a.state === null || (b.state !== null && a.state < b.state) ? -1 : 1));
    return { t: rows.map(({ t }) => t), state: rows.map(({ state }) => state), ms: rows.map(({ ms }) => ms) };
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
