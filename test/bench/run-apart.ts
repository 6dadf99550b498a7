import { fork } from 'node:child_process';

/**
 * Runs a file of this folder as a process of its own and resolves with the one message that it sends. A measurement gets
 * a fresh heap, and its peak memory is its own.
 */
export function runApart<T>(file: string, task: object): Promise<T> {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(task)], { serialization: 'advanced' });
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code} before it had a result`)));
  });
}

/** The task that `runApart` gave to this process. */
export function givenTask<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

/** Sends the result and ends the process. */
export function finish(result: object): void {
  process.send?.(result, () => process.exit(0));
}
