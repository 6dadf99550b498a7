import type { KpiRow } from '@nhip/core/kpi/answers';
import { kpiRows } from '../api/kpi.ts';
import { feed } from '../feed/live-feed.svelte.ts';
import { poll } from '../health/poll.ts';
import { type ShiftFigures, shiftFigures } from './shift-rows.ts';

const everyMs = 60_000;

/** Figures of the running shift for the plant and its lines, asked once a minute while the overview is shown; old ones stay meanwhile. */
class Shift {
  figures: ShiftFigures = $state.raw({ site: null, lines: new Map() });

  /** Asks now and each minute; returns the function that stops it. */
  start(): () => void {
    return poll(async (signal) => {
      const now = Math.floor(feed.asOf);
      // The board does without them: the tiles tell what is going on.
      const rows: readonly KpiRow[] | null = await kpiRows(
        { scope: 'site', from: now - 1000, to: now, by: 'shift', hasChildren: true },
        signal,
      ).catch(() => null);
      if (rows !== null) this.figures = shiftFigures(rows, now);
    }, everyMs);
  }
}

export const shift = new Shift();
