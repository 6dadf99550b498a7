import type { Log } from '@nhip/core/process/log';
import { writeSecretFile } from './secret-file.ts';

/** Writes a secret file soon after it changed, however often that is: one write at a time, always the newest content. */
export interface LateWriter {
  /** Never throws, never waits. */
  changed(): void;
  /** Resolves when the newest content is on the disk, or could not be written. */
  settled(): Promise<void>;
}

/** `content` is asked when it is written. A failure is logged once, as `failure`, until a write succeeds. */
export function createLateWriter(path: string, content: () => unknown, log: Log, failure: string): LateWriter {
  let writing: Promise<void> | undefined;
  let isChanged = false;
  let hasFailed = false;

  async function write(): Promise<void> {
    while (isChanged) {
      isChanged = false;
      try {
        await writeSecretFile(path, content());
        hasFailed = false;
      } catch (err) {
        if (!hasFailed) log.warn({ err }, failure);
        hasFailed = true;
      }
    }
    writing = undefined;
  }

  return {
    changed() {
      isChanged = true;
      writing ??= write();
    },
    async settled() {
      await writing;
    },
  };
}
