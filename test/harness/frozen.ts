import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until.ts';

/**
 * Runs `work` while a process stands still (SIGSTOP), and lets it go on afterwards, also when `work` failed.
 * A signal is only sent by `kill`: on a busy machine a thread goes on for a while and answers a request or two. So this waits until
 * the kernel shows every thread as stopped (`T` in proc(5), /proc/PID/task/TID/stat).
 */
export async function whileFrozen<T>(pid: number, work: () => Promise<T>): Promise<T> {
  process.kill(pid, 'SIGSTOP');
  try {
    await until(`process ${pid} stands still`, () => threadStates(pid).every((state) => state === 'T'));
    return await work();
  } finally {
    goOn(pid);
  }
}

function threadStates(pid: number): readonly string[] {
  const tasks = `/proc/${pid}/task`;
  // After the name of the program, which may hold anything but ends at the last parenthesis.
  return readdirSync(tasks).map((tid) => /^.*\) (\S)/s.exec(readFileSync(`${tasks}/${tid}/stat`, 'utf8'))?.[1] ?? '');
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was killed meanwhile.
  }
}
