import { createHash } from 'node:crypto';
import type { Disk, Timer } from '@nhip/core/process/env';
import { reasonOf } from '@nhip/core/process/errors';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import type { DriverDeps } from '../../driver.ts';

/**
 * How far each value with history was delivered, kept in one small file per connection so that the next session, also that of a
 * restarted agent, knows where the gap begins.
 *
 * A periodic write holds what was true one period before: values that were delivered only a moment ago may not be durable yet, and a
 * crash would lose them. So a crash repeats the last periods instead. At the end of a connection the file says exactly what was
 * delivered.
 *
 * Format: {"version":1,"nodes":{"<key>":[lastMs, from, to, from, to, …]}}; the keys are short hashes, so that the file of thousands of
 * nodes stays small.
 */
export interface HistoryProgress {
  /** Of an earlier session; undefined for a node that was never delivered. */
  get(key: string): NodeProgress | undefined;
  /** Keeps the progress that `all` tells, from now on. */
  keep(all: () => Iterable<readonly [key: string, NodeProgress]>): void;
  /** Something changed: it is written in a while. */
  changed(): void;
  /** Writes what is true now. Never rejects. */
  close(): Promise<void>;
}

export interface NodeProgress {
  /** Source time of the newest delivered value, ms UTC. */
  readonly lastMs: number;
  /** Before that, what is still missing, oldest first. */
  readonly gaps: readonly Gap[];
}

/** Both ends were delivered already. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

const folder = 'opcua-history';
const shortestPeriodMs = 5_000;
/** Keeps the wear of a card below 400 MB a day however many nodes there are. */
const bytesPerS = 4_096;
const maxBytes = 16_000_000;

export function progressKey(deviceId: string, node: string): string {
  return createHash('sha256').update(`${deviceId}\n${node}`).digest('base64url').slice(0, 12);
}

/**
 * The key of the next value with history, in the order of the config. Several values of one node are delivered each on its own, at
 * their own intervals, so each has a key of its own; the first has that of the node.
 */
export function createProgressKeys(): (deviceId: string, node: string) => string {
  const counts = new Map<string, number>();
  return (deviceId, node) => {
    const first = progressKey(deviceId, node);
    const before = counts.get(first) ?? 0;
    counts.set(first, before + 1);
    return before === 0 ? first : progressKey(deviceId, `${node}\n${before}`);
  };
}

/** Reads the file of the connection. A file that cannot be read is logged, and history begins anew. */
export async function openHistoryProgress(connectionId: string, { stateDir, clock, log }: DriverDeps): Promise<HistoryProgress> {
  const disk = createNodeDisk(stateDir);
  const name = `${encodeURIComponent(connectionId)}.json`;
  const known = await readProgress(disk, name).catch((error: unknown) => {
    log.warn(
      { file: `${stateDir}/${folder}/${name}`, reason: reasonOf(error) },
      'The history progress cannot be read; history begins anew.',
    );
    return new Map<string, NodeProgress>();
  });
  let entries: (() => Iterable<readonly [string, NodeProgress]>) | undefined;
  let timer: Timer | undefined;
  let pending: Uint8Array | undefined;
  let isDirty = false;
  let isClosed = false;
  let isTold = false;
  let writing: Promise<void> = Promise.resolve();

  const snapshot = (): Uint8Array => {
    const nodes: Record<string, readonly number[]> = {};
    for (const [key, { lastMs, gaps }] of entries?.() ?? []) nodes[key] = [lastMs, ...gaps.flatMap(({ fromMs, toMs }) => [fromMs, toMs])];
    return new TextEncoder().encode(JSON.stringify({ version: 1, nodes }));
  };

  const write = (bytes: Uint8Array): Promise<void> => {
    writing = writing
      .then(() => replaceSmallFile(disk, folder, name, bytes))
      .catch((error: unknown) => {
        if (!isTold) log.warn({ folder: `${stateDir}/${folder}`, reason: reasonOf(error) }, 'The history progress cannot be written.');
        isTold = true;
      });
    return writing;
  };

  const tick = (): void => {
    timer = undefined;
    const due = pending;
    pending = isDirty ? snapshot() : undefined;
    isDirty = false;
    if (due !== undefined) void write(due);
    if (pending !== undefined) arm();
  };

  function arm(): void {
    if (timer !== undefined || isClosed) return;
    timer = clock.after(Math.max(shortestPeriodMs, ((pending?.length ?? 0) / bytesPerS) * 1_000), tick);
  }

  return {
    get: (key) => known.get(key),
    keep: (all) => {
      entries = all;
    },
    changed: () => {
      isDirty = true;
      arm();
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      timer?.cancel();
      if (isDirty || pending !== undefined) await write(snapshot());
      await writing;
    },
  };
}

async function readProgress(disk: Disk, name: string): Promise<Map<string, NodeProgress>> {
  const bytes = await readSmallFile(disk, folder, name);
  const progress = new Map<string, NodeProgress>();
  if (bytes === undefined) return progress;
  if (bytes.length > maxBytes) throw new Error(`the file has more than ${maxBytes} bytes`);
  const file: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const { version, nodes } = file as { version?: unknown; nodes?: unknown };
  if (version !== 1 || typeof nodes !== 'object' || nodes === null) throw new Error('it is no progress file of this version');
  for (const [key, numbers] of Object.entries(nodes)) {
    if (!Array.isArray(numbers) || !numbers.every(Number.isSafeInteger)) throw new Error(`the entry ${key} is damaged`);
    const [lastMs = 0, ...rest] = numbers as number[];
    const gaps: Gap[] = [];
    for (let i = 0; i + 1 < rest.length; i += 2) gaps.push({ fromMs: rest[i] ?? 0, toMs: rest[i + 1] ?? 0 });
    progress.set(key, { lastMs, gaps });
  }
  return progress;
}
