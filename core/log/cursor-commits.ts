import type { Clock } from '../process/env.ts';
import { FatalError, RetryableError } from '../process/errors.ts';
import type { CursorFile } from './cursor-file.ts';
import { isDiskFull } from './disk-errors.ts';

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** Coalesces commits: all that arrived while one was being written go to the disk together. */
export class CursorCommits {
  private readonly file: CursorFile;
  private readonly clock: Clock;
  private readonly delayMs: number;
  private readonly onDurable: () => void;
  private readonly onFatal: (error: FatalError) => void;
  private wanted = new Map<string, number>();
  private waiters: Waiter[] = [];
  private running: Promise<void> | undefined;
  private readonly closing = new AbortController();

  constructor(deps: { file: CursorFile; clock: Clock; delayMs: number; onDurable: () => void; onFatal: (error: FatalError) => void }) {
    this.file = deps.file;
    this.clock = deps.clock;
    this.delayMs = deps.delayMs;
    this.onDurable = deps.onDurable;
    this.onFatal = deps.onFatal;
  }

  /** Resolves when `reader`'s cursor is durable at `next` or beyond. */
  commit(reader: string, next: number): Promise<void> {
    if (!Number.isSafeInteger(next) || next < 0) {
      return Promise.reject(new RangeError(`cursor of ${reader}: ${next} is no index`));
    }
    if (next <= this.file.get(reader)) {
      return Promise.resolve();
    }
    this.wanted.set(reader, Math.max(next, this.wanted.get(reader) ?? 0));
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Writes what is wanted without further delay. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiters.length > 0) {
      await this.window();
      const { wanted, waiters } = this;
      this.wanted = new Map();
      this.waiters = [];
      try {
        await this.file.write(wanted);
      } catch (error) {
        this.fail(error, waiters);
        continue;
      }
      this.onDurable();
      for (const waiter of waiters) {
        waiter.resolve();
      }
    }
    this.running = undefined;
  }

  /** Lets commits gather; `close` cuts the wait short. */
  private async window(): Promise<void> {
    await (this.delayMs > 0 ? this.clock.sleep(this.delayMs, this.closing.signal).catch(() => undefined) : Promise.resolve());
  }

  private fail(error: unknown, waiters: readonly Waiter[]): void {
    if (error instanceof FatalError) {
      this.onFatal(error);
    }
    const reason = isDiskFull(error)
      ? new RetryableError('log.diskFull', 'cursors: no room on the disk; free some', { cause: error })
      : error;
    for (const waiter of waiters) {
      waiter.reject(reason);
    }
  }
}
