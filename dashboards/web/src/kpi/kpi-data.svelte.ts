import type { DowntimeReasonView, KpiRow } from '@nhip/core/kpi/answers';
import { HttpProblem } from '../api/http.ts';
import { kpiRows } from '../api/kpi.ts';
import { listStops, stopReasons } from '../api/stops.ts';
import { feed } from '../feed/live-feed.svelte.ts';
import { poll } from '../health/poll.ts';
import { rowOf, type ShiftChoice } from './shift-choice.ts';
import { explainedNoData } from './waterfall.ts';

const everyMs = 60_000;

/** Figures of one machine or line in the chosen period, asked once a minute while a page shows them. */
export class KpiData {
  row: KpiRow | null = $state.raw(null);
  reasons: readonly DowntimeReasonView[] = $state.raw([]);
  noData: ReadonlyMap<string, number> = $state.raw(new Map());
  /** `none`: there is no such period. */
  status: 'loading' | 'ready' | 'none' | 'failed' = $state('loading');
  /** What is shown; differs from what was chosen when nobody chose and no shift runs. */
  shown: ShiftChoice = $state('shift');
  readonly #scope: string;
  #again: (() => void) | null = null;

  constructor(scope: string) {
    this.#scope = scope;
  }

  /** Asks now and again until the returned function is called. `chosen` null: the running shift, else the last one. */
  start(chosen: ShiftChoice | null): () => void {
    this.status = 'loading';
    let stop = poll((signal) => this.#load(chosen, signal), everyMs);
    this.#again = () => {
      stop();
      stop = poll((signal) => this.#load(chosen, signal), everyMs);
    };
    return () => {
      this.#again = null;
      stop();
    };
  }

  /** Asks at once: something was corrected. */
  refresh(): void {
    this.#again?.();
  }

  async #load(chosen: ShiftChoice | null, signal: AbortSignal): Promise<void> {
    try {
      if (this.reasons.length === 0) this.reasons = await stopReasons(signal);
      const now = Math.floor(feed.asOf);
      const ask = (choice: ShiftChoice): Promise<KpiRow | null> =>
        rowOf(choice, now, (range) => kpiRows({ scope: this.#scope, ...range }, signal));
      let shown: ShiftChoice = chosen ?? 'shift';
      let row = await ask(shown);
      if (row === null && chosen === null) {
        shown = 'lastShift';
        row = await ask(shown);
      }
      const noData = row === null || row.parts.unknownPlannedMs === 0 ? new Map<string, number>() : await this.#noDataOf(row, signal);
      this.row = row;
      this.noData = noData;
      this.shown = shown;
      this.status = row === null ? 'none' : 'ready';
    } catch (err) {
      if (signal.aborted) return;
      // What was shown stays, with a word that it is old.
      if (err instanceof HttpProblem || err instanceof TypeError) this.status = 'failed';
      else throw err;
    }
  }

  async #noDataOf({ period }: KpiRow, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { stops } = await listStops({ scope: this.#scope, from: period.from, to: period.knownTo, state: 'unknown' }, signal);
    return explainedNoData(stops, period);
  }
}
