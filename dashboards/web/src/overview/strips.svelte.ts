import type { StateInterval } from '@nhip/core/wire/live';
import { api } from '../api/endpoints.ts';
import { feed } from '../feed/live-feed.svelte.ts';
import { poll } from '../health/poll.ts';

export const stripMs = 8 * 3600 * 1000;
const refreshMs = 60_000;

/** The last eight hours of every machine, fetched once a minute while the overview is shown. */
class Strips {
  byMachine: Readonly<Record<string, readonly StateInterval[]>> = $state.raw({});
  hasFailed = $state(false);

  /** Fetches now and each minute; returns the function that stops it. */
  start(): () => void {
    return poll(async (signal) => {
      try {
        const to = Math.round(feed.now);
        const { machines } = await api.allStates(to - stripMs, to);
        if (signal.aborted) return;
        this.byMachine = machines;
        this.hasFailed = false;
      } catch {
        this.hasFailed = !signal.aborted;
      }
    }, refreshMs);
  }
}

export const strips = new Strips();
