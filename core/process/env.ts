/**
 * The Env seam: everything on the data path gets its clock, timers, randomness and disk from here, never from a global,
 * so that the same code runs on a virtual clock and a simulated disk.
 */

export interface Timer {
  /** Stops the timer; calling it twice is allowed. */
  cancel(): void;
}

export interface Clock {
  /** Wall clock, ms since 1970 UTC. May jump. */
  now(): number;
  /** Monotonic ms from an arbitrary start. Never jumps back. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`. */
  after(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Random numbers; seeded in simulations and tests. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  bytes(count: number): Uint8Array;
}

export interface OpenFile {
  /** Reads up to `buffer.length` bytes at `position`; resolves to the count, 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Writes all of `buffer` at `position`. */
  write(buffer: Uint8Array, position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  /** fdatasync: when it resolves, the data survives a power cut. When it rejects, nothing may be assumed. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** File names are relative to the disk's root folder; `/` separates. Errors carry `code` as Node does (ENOENT, ENOSPC, EIO). */
export interface Disk {
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<OpenFile>;
  readDir(path: string): Promise<readonly string[]>;
  makeDir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes creations, renames and unlinks inside `path` durable. */
  syncDir(path: string): Promise<void>;
}

export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}
