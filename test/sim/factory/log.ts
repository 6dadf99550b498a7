import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Watch } from './watch.ts';

/** Where lines of a verbose run go. */
export type Say = (line: string) => void;

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** The product's logger: each sentence counts as reached; a verbose run prints it with the simulated time. */
export function createSimLog(who: string, clock: Clock, watch: Watch, say: Say | undefined): Log {
  const write = (level: string) => (fields: unknown, sentence?: string) => {
    const text = typeof fields === 'string' ? fields : (sentence ?? '');
    if (level !== 'debug' && level !== 'trace') watch.saw(`log: ${text}`);
    say?.(
      `${clock.monotonic().toFixed(0).padStart(7)} ms  ${who.padEnd(8)} ${level.padEnd(5)} ${text} ${typeof fields === 'string' ? '' : describe(fields)}`,
    );
  };
  const log: Record<string, unknown> = Object.fromEntries(levels.map((level) => [level, write(level)]));
  log.child = () => log;
  return log as unknown as Log;
}

function describe(fields: unknown): string {
  return JSON.stringify(fields, (_, value: unknown) =>
    value instanceof Error ? `${value.message}${value.cause instanceof Error ? ` ← ${value.cause.message}` : ''}` : value,
  );
}
