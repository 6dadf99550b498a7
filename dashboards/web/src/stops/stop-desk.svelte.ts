import type { DowntimeReasonView, DowntimeStop } from '@nhip/core/kpi/answers';
import { HttpProblem } from '../api/http.ts';
import { changeStop, listStops, type StopChange, stopReasons } from '../api/stops.ts';
import { feed } from '../feed/live-feed.svelte.ts';
import { poll } from '../health/poll.ts';
import { session } from '../session/session.svelte.ts';
import { newestHeld } from './stop-rows.ts';

const everyMs = 30_000;

export const stopShows = ['unexplained', 'all', 'noData'] as const;
export type StopShow = (typeof stopShows)[number];

export interface StopRange {
  readonly from: number;
  readonly to: number;
}

/** What became of the last change. */
export type SaveProgress =
  | { readonly step: 'sent'; readonly id: string; readonly reason: string | null }
  | { readonly step: 'done'; readonly stop: DowntimeStop | null; readonly change: StopChange; readonly undo: string | null }
  | { readonly step: 'failed'; readonly status: number; readonly why: string };

/** Stops of a machine, a line or the site in a period, and what a person says about them. */
export class StopDesk {
  stops: readonly DowntimeStop[] = $state.raw([]);
  reasons: readonly DowntimeReasonView[] = $state.raw([]);
  isCut = $state(false);
  status: 'loading' | 'ready' | 'failed' = $state('loading');
  progress: SaveProgress | null = $state.raw(null);
  /** Called when a change was saved: figures follow it. */
  onSaved: () => void = () => {};
  readonly #scope: string;
  #again: (() => void) | null = null;

  constructor(scope: string) {
    this.#scope = scope;
  }

  /** Asks now and again until the returned function is called. */
  start(show: StopShow, range: StopRange): () => void {
    const begin = () => poll((signal) => this.#load(show, range, signal), everyMs);
    let stop = begin();
    this.#again = () => {
      stop();
      stop = begin();
    };
    return () => {
      this.#again = null;
      stop();
    };
  }

  async #load(show: StopShow, { from, to }: StopRange, signal: AbortSignal): Promise<void> {
    try {
      const now = Math.floor(feed.asOf);
      const filter = show === 'noData' ? { state: 'unknown' as const } : { isUnexplained: show === 'unexplained' };
      if (this.reasons.length === 0) this.reasons = await stopReasons(signal);
      const { stops, isCut } = await listStops({ scope: this.#scope, from, to: Math.max(from + 1, Math.min(to, now)), ...filter }, signal);
      this.stops = stops;
      this.isCut = isCut;
      this.status = 'ready';
    } catch (err) {
      if (signal.aborted) return;
      if (!(err instanceof HttpProblem)) throw err;
      this.status = 'failed';
    }
  }

  /** Sends a change. What it does shows at once as "being saved", and as done only when the server said so. */
  async change(stop: DowntimeStop, change: StopChange): Promise<void> {
    this.progress = { step: 'sent', id: stop.id, reason: change.action === 'reclassify' ? change.reason : null };
    try {
      const changed = await changeStop(stop.id, change);
      const now = changed.find(({ id }) => id === stop.id) ?? changed[0] ?? null;
      const entry =
        change.action === 'withdraw'
          ? undefined
          : newestHeld(changed.flatMap(({ corrections }) => corrections).sort((a, b) => a.atMs - b.atMs));
      this.#replace(stop, changed);
      this.progress = { step: 'done', stop: now, change, undo: entry?.id ?? null };
      this.onSaved();
    } catch (err) {
      const status = err instanceof HttpProblem ? err.status : 0;
      this.progress = { step: 'failed', status, why: err instanceof Error ? err.message : String(err) };
      if (status === 401) void session.refresh();
    }
    this.#again?.();
  }

  /** Until the list is loaded again: the answer stands in for the stop. With a filter the next load takes away what no longer fits. */
  #replace(stop: DowntimeStop, changed: readonly DowntimeStop[]): void {
    const gone = new Set([stop.id, ...changed.map(({ id }) => id)]);
    this.stops = [...this.stops.filter(({ id }) => !gone.has(id)), ...changed].sort((a, b) => b.from - a.from || a.id.localeCompare(b.id));
  }
}
