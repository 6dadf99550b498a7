import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';

/** Editors and config tools write in several steps: the file is looked at when its folder was quiet for this time. */
const settleMs = 500;

/**
 * Calls `touched` when something happened in the folder of a file and settled. The folder is watched, not the file: editors, `mv` and
 * mounted config maps replace it. A symbolic link is watched at both ends, where it leads to at the start. Where watching is not possible
 * it says so and never calls.
 */
export function watchFile(
  file: string,
  { clock, log, touched }: { readonly clock: Clock; readonly log: Log; touched(): void },
): { close(): void } {
  let timer: Timer | undefined;
  const unable = (error: unknown): void => {
    log.warn({ err: error, file }, 'The configuration file cannot be watched; SIGHUP makes the agent read it again');
  };
  const watchers: FSWatcher[] = [];
  try {
    for (const folder of new Set([dirname(file), dirname(realpathSync(file))])) {
      const watcher = watch(folder, { persistent: false }, () => {
        timer?.cancel();
        timer = clock.after(settleMs, touched);
      });
      watcher.on('error', unable);
      watchers.push(watcher);
    }
  } catch (error) {
    unable(error);
  }
  return {
    close() {
      timer?.cancel();
      for (const watcher of watchers) watcher.close();
    },
  };
}
