/** Calls `load` now and again `everyMs` after each end, never twice at a time; the returned function stops it. `load` handles its own errors. */
export function poll(load: (signal: AbortSignal) => Promise<void>, everyMs: number): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = async (): Promise<void> => {
    await load(stop.signal);
    if (!stop.signal.aborted) timer = setTimeout(() => void turn(), everyMs);
  };
  void turn();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}
