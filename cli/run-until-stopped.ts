import type { Part } from '@nhip/core/process/lifecycle';
import { createLifecycle } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';

/** After this the process ends even if a part hangs: what was acknowledged is on disk. */
const stopDeadlineMs = 20_000;
/** After a fatal error parts may wait for what will never come, e.g. a disk; a start afterwards is prepared for a kill. */
const fatalDeadlineMs = 3_000;

/**
 * Starts the parts, calls `ready`, then waits for SIGINT, SIGTERM or `fatal`, and stops them in reverse order.
 * A second signal ends the process at once. Resolves with the exit code.
 */
export async function runUntilStopped(
  parts: readonly Part[],
  log: Log,
  hooks: { ready(): void; readonly fatal: Promise<Error> },
): Promise<number> {
  const lifecycle = createLifecycle(parts, log);
  const signalled = new Promise<'signal'>((resolve) => {
    const onSignal = (): void => {
      process.once('SIGINT', () => process.exit(130));
      process.once('SIGTERM', () => process.exit(143));
      resolve('signal');
    };
    process.once('SIGINT', onSignal);
    process.once('SIGTERM', onSignal);
  });
  const started = await Promise.race([lifecycle.start().then(() => 'started' as const), signalled]);
  if (started === 'started') hooks.ready();
  const reason = started === 'started' ? await Promise.race([signalled, hooks.fatal]) : 'signal';
  if (reason instanceof Error) log.fatal({ err: reason }, 'The process ends: going on would break a promise');
  const deadline = setTimeout(() => process.exit(1), reason instanceof Error ? fatalDeadlineMs : stopDeadlineMs);
  deadline.unref();
  await lifecycle.stop();
  clearTimeout(deadline);
  return reason instanceof Error ? 1 : 0;
}

/** A promise for the first fatal error, and the function that reports one. */
export function createFatal(): { readonly fatal: Promise<Error>; onFatal(error: Error): void } {
  let report: (error: Error) => void = () => {};
  const fatal = new Promise<Error>((resolve) => {
    report = resolve;
  });
  return { fatal, onFatal: (error) => report(error) };
}
