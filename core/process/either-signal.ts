/**
 * Runs `work` with a signal that aborts when one of `signals` does, for its reason, and takes its listeners away afterwards. For calls
 * that are made again and again under a signal that lives as long as the process: `AbortSignal.any` of Node 20 leaves a little there
 * with every call.
 */
export async function withEitherSignal<T>(signals: readonly AbortSignal[], work: (either: AbortSignal) => Promise<T>): Promise<T> {
  const either = new AbortController();
  const stops = signals.map((signal) => {
    const stop = (): void => either.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    return () => signal.removeEventListener('abort', stop);
  });
  try {
    return await work(either.signal);
  } finally {
    for (const stop of stops) stop();
  }
}
