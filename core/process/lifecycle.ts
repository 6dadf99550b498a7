import type { Log } from './log.ts';

/** Something with a beginning and an end. `stop` is idempotent and works after a failed start. */
export interface Part {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts parts in order and stops them in reverse. When one fails to start, those before it are stopped and its error is
 * thrown. `stop` may be called any number of times, also while starting; a part that fails to stop does not keep the
 * others from stopping.
 */
export function createLifecycle(parts: readonly Part[], log: Log): { start(): Promise<void>; stop(): Promise<void> } {
  const started: Part[] = [];
  let stopping: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      try {
        await part.stop();
      } catch (error) {
        log.error({ err: error, part: part.name }, 'Part did not stop cleanly');
      }
    }
  }

  return {
    async start() {
      for (const part of parts) {
        if (stopping !== undefined) return;
        started.push(part);
        try {
          await part.start();
        } catch (error) {
          await stopAll();
          throw error;
        }
      }
    },
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };
}
