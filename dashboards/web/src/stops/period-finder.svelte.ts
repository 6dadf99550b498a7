import { HttpProblem } from '../api/http.ts';
import { kpiRows } from '../api/kpi.ts';
import { feed } from '../feed/live-feed.svelte.ts';
import { poll } from '../health/poll.ts';
import { rowOf, type ShiftChoice } from '../kpi/shift-choice.ts';

const everyMs = 60_000;

/** From when to when a chosen period of the plant lasts, as the server's calendar has it. */
export class KpiPeriodFinder {
  period: { readonly from: number; readonly to: number } | null = $state.raw(null);
  status: 'loading' | 'ready' | 'none' | 'failed' = $state('loading');
  shown: ShiftChoice = $state('shift');

  /** `chosen` null: the running shift, else the last one. Asks now and again until the returned function is called. */
  start(chosen: ShiftChoice | null): () => void {
    return poll(async (signal) => {
      try {
        const now = Math.floor(feed.asOf);
        const ask = async (choice: ShiftChoice) =>
          (await rowOf(choice, now, (range) => kpiRows({ scope: 'site', ...range }, signal)))?.period ?? null;
        let shown: ShiftChoice = chosen ?? 'shift';
        let found = await ask(shown);
        if (found === null && chosen === null) {
          shown = 'lastShift';
          found = await ask(shown);
        }
        this.shown = shown;
        this.status = found === null ? 'none' : 'ready';
        // The same period again changes nothing: what depends on it is not asked anew.
        if (found === null) this.period = null;
        else if (found.from !== this.period?.from || found.to !== this.period.to) this.period = { from: found.from, to: found.to };
      } catch (err) {
        if (signal.aborted) return;
        if (!(err instanceof HttpProblem)) throw err;
        this.status = 'failed';
      }
    }, everyMs);
  }
}
