import type { EdgeHealth, PipelineStats } from '@nhip/core/wire/live';
import { api } from '../api/endpoints.ts';
import { poll } from '../health/poll.ts';

const everyMs = 5000;

interface Reading {
  readonly at: number;
  readonly stats: PipelineStats;
}

/** What the server says of the data path, asked every five seconds while a page shows it. */
export class PathData {
  edges: readonly EdgeHealth[] | null = $state.raw(null);
  /** The last answer did not come: what is shown is old. */
  hasFailed = $state(false);
  #now: Reading | null = $state.raw(null);
  #before: Reading | null = $state.raw(null);

  readonly stats = $derived(this.#now?.stats ?? null);

  /** Per second since the last reading; null before the second one and after a restart of the server, whose counters begin at 0. */
  rate(name: 'received' | 'stored'): number | null {
    if (this.#now === null || this.#before === null) return null;
    const grown = this.#now.stats[name] - this.#before.stats[name];
    return grown < 0 ? null : grown / ((this.#now.at - this.#before.at) / 1000);
  }

  /** Asks now and again until the returned function is called. */
  start(): () => void {
    return poll(async (signal) => {
      try {
        const [stats, { edges }] = await Promise.all([api.stats(signal), api.edges(signal)]);
        this.#before = this.#now;
        this.#now = { at: performance.now(), stats };
        this.edges = edges;
        this.hasFailed = false;
      } catch {
        this.hasFailed = !signal.aborted;
      }
    }, everyMs);
  }
}
