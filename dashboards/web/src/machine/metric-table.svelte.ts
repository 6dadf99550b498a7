import type { MetricView } from '@nhip/core/wire/live';
import { api } from '../api/endpoints.ts';
import { feed } from '../feed/live-feed.svelte.ts';
import { inReadingOrder } from './metric-names.ts';

const showEveryMs = 500;

type Listener = (metric: MetricView) => void;

/** The current values of one machine: asked for once, then kept by live frames, shown at most twice a second. */
export class MetricTable {
  rows: readonly MetricView[] = $state.raw([]);
  status: 'loading' | 'ready' | 'failed' = $state('loading');
  readonly #machine: string;
  readonly #byName = new Map<string, MetricView>();
  readonly #listeners = new Set<Listener>();
  #isDirty = false;

  constructor(machine: string) {
    this.#machine = machine;
  }

  /** Begins to fetch and listen; returns the function that ends it. */
  start(): () => void {
    const stop = new AbortController();
    const unwatch = feed.watch(this.#machine, (frame) => {
      for (const metric of frame.metrics) this.#take(metric);
    });
    const timer = setInterval(() => this.#show(), showEveryMs);
    void this.#fetch(stop.signal);
    return () => {
      stop.abort();
      clearInterval(timer);
      unwatch();
    };
  }

  /** Every live value, for charts; until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    try {
      for (const metric of (await api.metrics(this.#machine, signal)).metrics) this.#take(metric);
      this.status = 'ready';
      this.#show();
    } catch {
      if (!signal.aborted && this.#byName.size === 0) this.status = 'failed';
    }
  }

  #take(metric: MetricView): void {
    const known = this.#byName.get(metric.name);
    if (known !== undefined && known.t > metric.t) return;
    this.#byName.set(metric.name, metric);
    this.#isDirty = true;
    for (const listener of this.#listeners) listener(metric);
  }

  #show(): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.status = 'ready';
    this.rows = inReadingOrder([...this.#byName.values()]);
  }
}
