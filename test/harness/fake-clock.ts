import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Surroundings } from './nhip.ts';

/** Debian's libfaketime; undefined when it is not installed. */
const library = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((folder) => join(folder, 'faketime/libfaketimeMT.so.1'))
  .find((file) => existsSync(file));

/** The wall clock of one process, wrong by as much as is wanted. Its monotonic clock runs as it should. */
export interface FakeClock {
  readonly surroundings: Surroundings;
  /** From now on the clock is off by this much. */
  set(offsetMs: number): void;
  /** From now on it shows this time. */
  show(timeMs: number): void;
}

export function createFakeClock(dir: string): FakeClock {
  if (library === undefined) throw new Error('libfaketime is not installed: apt-get install libfaketime');
  const file = join(dir, 'clock-offset');
  const set = (offsetMs: number): void => {
    const seconds = Math.round(offsetMs / 1000);
    writeFileSync(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  };
  set(0);
  return {
    surroundings: {
      env: {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        // Without it a jump back stops the timers of Node.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    },
    set,
    show: (timeMs) => set(timeMs - Date.now()),
  };
}
