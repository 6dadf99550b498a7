import { type Logger, pino } from 'pino';

/** The logger that is passed in `deps`: fixed English sentences plus fields; errors under `err`. */
export type Log = Logger;

/** Field names whose values never reach a log. */
const secretPaths = ['password', 'token', 'secret', 'authorization', 'cookie'].flatMap((name) => [name, `*.${name}`]);

/**
 * A logger that writes lines of JSON to stderr, so that stdout stays free for answers.
 * `level` is one of pino's levels or `silent`.
 */
export function createLog(role: string, level = 'info'): Log {
  return pino({ name: role, level, redact: { paths: secretPaths, censor: '[secret]' } }, pino.destination({ dest: 2, sync: true }));
}

/** A logger that drops everything, for tests. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}
