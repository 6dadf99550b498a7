import type { Clock, Timer } from '@nhip/core/process/env';

/** Runs work again and again, never twice at once. */
export interface Loop {
  /** Runs it soon; when it is running, once more afterwards. */
  kick(): void;
  /** Runs it now and resolves when a whole run that began after the call is over. */
  run(): Promise<void>;
  /** Aborts the signal of the work and waits for it. Idempotent. */
  stop(): Promise<void>;
}

/** `work` resolves to how long it has nothing to do, ms; at most `intervalMs` is waited. */
export function createLoop(clock: Clock, intervalMs: number, work: (signal: AbortSignal) => Promise<number | undefined>): Loop {
  const stopping = new AbortController();
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let isAsked = false;

  const start = (): Promise<void> => {
    timer?.cancel();
    timer = undefined;
    running ??= runAll();
    return running;
  };
  async function runAll(): Promise<void> {
    let idleMs: number | undefined;
    do {
      isAsked = false;
      idleMs = await work(stopping.signal);
    } while (isAsked && !stopping.signal.aborted);
    running = undefined;
    if (!stopping.signal.aborted) timer = clock.after(Math.min(intervalMs, idleMs ?? intervalMs), () => void start());
  }
  timer = clock.after(0, () => void start());

  return {
    kick() {
      if (stopping.signal.aborted) return;
      isAsked = true;
      void start();
    },
    async run() {
      if (stopping.signal.aborted) return;
      isAsked = true;
      await start();
    },
    async stop() {
      stopping.abort(new Error('stopped'));
      timer?.cancel();
      await running;
    },
  };
}
