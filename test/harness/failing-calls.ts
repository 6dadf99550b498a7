import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Surroundings } from './nhip.ts';

/** System calls of one process that fail on demand (libfiu, Debian package fiu-utils). */
export interface FailingCalls {
  readonly surroundings: Surroundings;
  /** The call fails with `errno` from now on, each time with this probability. Not told to a process that starts later. */
  fail(pid: number, call: FailingCall, probability: number): void;
  heal(pid: number, call: FailingCall): void;
}

export type FailingCall = keyof typeof calls;

const folder = '/usr/lib/fiu';
const [eio, enospc] = [5, 28];
const calls = {
  fdatasync: { name: 'posix/io/sync/fdatasync', errno: eio },
  /** Not `write`: that would break the pipes of Node itself. */
  pwrite: { name: 'posix/io/rw/pwrite', errno: enospc },
} as const;

export function createFailingCalls(dir: string): FailingCalls {
  const prefix = join(dir, 'fiu');
  const tell = (pid: number, command: string): void =>
    void execFileSync('fiu-ctrl', ['-f', prefix, '-c', command, String(pid)], { timeout: 5000, stdio: 'ignore' });
  return {
    surroundings: {
      env: {
        LD_PRELOAD: `${folder}/fiu_run_preload.so:${folder}/fiu_posix_preload.so`,
        FIU_CTRL_FIFO: prefix,
      },
    },
    fail: (pid, call, probability) =>
      tell(pid, `enable_random name=${calls[call].name},probability=${probability},failinfo=${calls[call].errno}`),
    heal: (pid, call) => tell(pid, `disable name=${calls[call].name}`),
  };
}
