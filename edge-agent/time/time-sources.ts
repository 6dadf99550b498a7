import { existsSync, readFileSync } from 'node:fs';

/** What the operating system knows about time, besides the wall clock. */
export interface TimeSources {
  /** Another one after each start of the computer. */
  readonly bootId: string;
  /** Monotonic ms since the computer started: the same for all processes of one boot. */
  sinceBootMs(): number;
  /** Whether the wall clock follows a time server; undefined when nobody here knows. */
  isSynchronised(): boolean | undefined;
}

const timesyncFolder = '/run/systemd/timesync';

/**
 * Linux: the kernel's boot id and systemd-timesyncd's flag file (systemd-timesyncd.service(8)). chrony and ntpd keep no such file; with
 * them, in a container and elsewhere `isSynchronised` does not know, and the clock is judged by plausibility alone.
 */
export function systemTimeSources(): TimeSources {
  return {
    bootId: readBootId(),
    sinceBootMs: () => Number(process.hrtime.bigint() / 1_000_000n),
    isSynchronised: () => {
      if (existsSync(`${timesyncFolder}/synchronized`)) return true;
      return existsSync(timesyncFolder) ? false : undefined;
    },
  };
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Not Linux: no two processes are taken to be of one boot.
    return `process-${process.pid}-${Date.now()}`;
  }
}
