import type { MetricView } from '@nhip/core/wire/live';
import { api } from '../api/endpoints.ts';
import { feed } from '../feed/live-feed.svelte.ts';
import { inReadingOrder } from './metric-names.ts';
import { createMetricValues } from './metric-values.ts';

const showEveryMs = 500;

/** `isSetBack`: the edge's clock was; the value is newer than those before, its time is not. */
type Listener = (metric: MetricView, isSetBack: boolean) => void;

/** The current values of one machine: asked for once, then kept by live frames, shown at most twice a second. */
export class MetricTable {
  rows: readonly MetricView[] = $state.raw([]);
  status: 'loading' | 'ready' | 'failed' = $state('loading');
  readonly #machine: string;
  readonly #values = createMetricValues();
  readonly #listeners = new Set<Listener>();
  #isDirty = false;

  constructor(machine: string) {
    this.#machine = machine;
  }

  /** Begins to fetch and listen; returns the function that ends it. */
  start(): () => void {
    const stop = new AbortController();
    const unwatch = feed.watch(this.#machine, (frame) => {
      for (const metric of frame.metrics) this.#tell(metric, this.#values.live(metric).isSetBack);
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
      for (const metric of (await api.metrics(this.#machine, signal)).metrics) {
        if (this.#values.fetched(metric)) this.#tell(metric, false);
      }
      this.status = 'ready';
      this.#show();
    } catch {
      if (!signal.aborted && this.#values.all().length === 0) this.status = 'failed';
    }
  }

  #tell(metric: MetricView, isSetBack: boolean): void {
    this.#isDirty = true;
    for (const listener of this.#listeners) listener(metric, isSetBack);
  }

  #show(): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.status = 'ready';
    this.rows = inReadingOrder(this.#values.all());
  }
}
