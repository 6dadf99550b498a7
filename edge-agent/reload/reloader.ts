import { ConfigError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';

export interface Reloader {
  /** Reads the file and applies it when its text is another one than the last that was looked at. */
  lookAgain(): Promise<void>;
  /** Reads the file and applies it in any case: somebody asked for it. */
  now(): Promise<void>;
}

export interface ReloaderDeps {
  readonly log: Log;
  /** The text of the configuration. Throws ConfigError when it cannot be read. */
  read(): string;
  /** Parses, checks and applies. Throws ConfigError when it cannot be used; nothing has changed then. */
  apply(text: string): Promise<unknown>;
}

/**
 * From a changed file to a changed agent, one reload at a time. A configuration that cannot be used is refused with all its problems,
 * said once for each text; the old one goes on. Nothing here rejects.
 */
export function createReloader(first: string, { log, read, apply }: ReloaderDeps): Reloader {
  let seen = first;
  let queue: Promise<void> = Promise.resolve();

  async function reload(isAsked: boolean): Promise<void> {
    try {
      const text = read();
      if (!isAsked && text === seen) return;
      seen = text;
      await apply(text);
    } catch (error) {
      // While a file is being replaced it may be missing for a moment.
      if (!isAsked && error instanceof ConfigError && isGone(error)) return;
      const problems = error instanceof ConfigError ? error.problems : [String(error)];
      log.error({ problems }, 'The new configuration is refused, the old one goes on');
    }
  }

  const enqueue = (isAsked: boolean): Promise<void> => {
    queue = queue.then(() => reload(isAsked));
    return queue;
  };
  return { lookAgain: () => enqueue(false), now: () => enqueue(true) };
}

function isGone(error: ConfigError): boolean {
  return error.problems.some((problem) => problem.includes('ENOENT'));
}
