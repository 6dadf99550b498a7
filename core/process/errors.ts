/** Errors whose class decides what the caller does. Anything else is a bug: log it, count it, treat it as retryable. */

class AppError extends Error {
  /** Stable machine-readable code, e.g. `log.diskFull`. */
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
  }
}

/** A configuration that cannot be used: all problems at once. The process exits with 78 before it connects anywhere. */
export class ConfigError extends AppError {
  readonly problems: readonly string[];
  constructor(source: string, problems: readonly string[]) {
    super(
      'config.invalid',
      `${source}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** Why something did not work, in one line: for a field of a log or an answer that names the place already. */
export function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join('; ');
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one name fail as one error without words.
  return error.message || ('code' in error && String(error.code)) || error.name;
}

/** May work later: the host backs off and tries again. */
export class RetryableError extends AppError {
  readonly retryAfterMs: number | undefined;
  constructor(code: string, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(code, message, options.cause);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Will never work for this input: drop it, count it, keep one example. */
export class PermanentError extends AppError {}

/** The process must end: going on would break a promise (e.g. a failed fsync). */
export class FatalError extends AppError {}
