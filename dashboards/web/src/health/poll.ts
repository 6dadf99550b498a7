import { untrack } from 'svelte';

/**
 * Calls `load` now and again `everyMs` after each end, never twice at a time; the returned function stops it. `load` handles its own errors.
 * What `load` reads is no dependency of the effect that starts it: a page that reads the ticking clock would begin anew every second.
 */
export function poll(load: (signal: AbortSignal) => Promise<void>, everyMs: number): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = async (): Promise<void> => {
    await load(stop.signal);
    if (!stop.signal.aborted) timer = setTimeout(() => void turn(), everyMs);
  };
  void untrack(turn);
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}
