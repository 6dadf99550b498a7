import { fork } from 'node:child_process';
import { atExit } from '../harness/at-exit.ts';

/** A process that runs beside what is measured: machines, servers. */
export interface Beside<Ready, Report> {
  readonly ready: Ready;
  /** What it says now. */
  report(): Promise<Report>;
  stop(): void;
}

/**
 * Starts a file of this folder with a task (`givenTask`). Its first message says that it is ready; any message to it asks for a report, which
 * is its next message. It ends when it is left alone.
 */
export async function startBeside<Ready, Report>(file: string, task: object): Promise<Beside<Ready, Report>> {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(task)], { serialization: 'advanced' });
  const stop = atExit(() => void child.kill('SIGKILL'));
  const next = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`${file} ended with ${code}`));
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        resolve(message as T);
      });
    });
  const ready = await next<Ready>();
  return {
    ready,
    report: () => {
      const reported = next<Report>();
      child.send('report');
      return reported;
    },
    stop,
  };
}

/** Seconds of processor time that this process has taken so far. */
export function ownProcessorS(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** In the process that was started: says that it is ready, and reports when it is asked. */
export function serveReports(ready: object, report: () => object): void {
  process.on('message', () => process.send?.(report()));
  process.once('disconnect', () => process.exit(0));
  process.send?.(ready);
}
