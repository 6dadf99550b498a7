import { crc32 } from 'node:zlib';
import type { Disk, OpenFile } from '@nhip/core/process/env';
import { FatalError } from '@nhip/core/process/errors';

/**
 * A small table on disk: keys and JSON values, changed by commits.
 *
 * Invariants: a commit that resolved survives a power cut; after one, the table is some row of whole commits from the first one on, at
 * least all that resolved. Memory is never ahead of the disk.
 * Format: `journal-<number>.ndjson`, each line `<crc32, 8 hex digits> <JSON array of [key, value or null]>`. Commits that wait for the
 * disk share a line, so only the last line can be torn. When the file has grown far beyond its content, the table is written to a file
 * with the next number, beside, and renamed.
 * Failures: after a failed write nothing may be assumed of the file; the next commit begins a new one. A bad line that is not the last
 * one is no power cut but damage: opening refuses, because states that went back could send something twice with other bytes.
 */
export interface Journal {
  get(key: string): unknown;
  entries(prefix: string): readonly (readonly [key: string, value: unknown])[];
  /** All of the changes or none; undefined deletes. Resolves when they are durable; rejects when they are not known to be. */
  commit(changes: Changes): Promise<void>;
  close(): Promise<void>;
}

export type Changes = readonly (readonly [key: string, value: unknown])[];

const fileForm = /^journal-(\d{8})\.ndjson$/;
const keysPerLine = 200;

/** Opens the journal of a folder, or begins one. Throws FatalError `outbox.damaged`. */
export async function openJournal(disk: Disk, folder: string, { minFileBytes = 1_048_576 } = {}): Promise<Journal> {
  await disk.makeDir(folder);
  const newest = newestJournal(await disk.readDir(folder));
  const table = new Map<string, unknown>();
  let number = Number(fileForm.exec(newest ?? '')?.[1] ?? 0);
  let file: OpenFile | undefined;
  let size = 0;
  let compactAbove = minFileBytes;
  let waiting: { readonly changes: Changes; done(): void; failed(error: unknown): void }[] = [];
  let worker: Promise<void> | undefined;

  const path = (of: number): string => `${folder}/journal-${String(of).padStart(8, '0')}.ndjson`;

  async function rewrite(): Promise<void> {
    const old = file;
    file = undefined;
    await old?.close();
    const next = path(number + 1);
    const fresh = await disk.open(`${next}.new`, 'create');
    let length = 0;
    try {
      const all = [...table];
      for (let start = 0; start === 0 || start < all.length; start += keysPerLine) {
        const line = lineOf(all.slice(start, start + keysPerLine));
        await fresh.write(line, length);
        length += line.length;
      }
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await disk.rename(`${next}.new`, next);
    await disk.syncDir(folder);
    number++;
    size = length;
    compactAbove = Math.max(minFileBytes, 4 * length);
    file = await disk.open(next, 'write');
    await removeOthers();
  }

  async function removeOthers(): Promise<void> {
    const current = path(number).slice(folder.length + 1);
    for (const name of await disk.readDir(folder)) {
      if (name.startsWith('journal-') && name !== current) await disk.unlink(`${folder}/${name}`);
    }
  }

  async function append(changes: Changes): Promise<void> {
    if (file === undefined || size > compactAbove) await rewrite();
    const line = lineOf(changes);
    try {
      await file?.write(line, size);
      await file?.sync();
      size += line.length;
    } catch (error) {
      const broken = file;
      file = undefined;
      await broken?.close().catch(() => undefined);
      throw error;
    }
    for (const [key, value] of changes) apply(table, key, value);
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await append(batch.flatMap(({ changes }) => changes));
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    worker = undefined;
  }

  if (newest === undefined) {
    await rewrite();
  } else {
    file = await disk.open(`${folder}/${newest}`, 'write');
    size = await load(file, table, `${folder}/${newest}`);
    compactAbove = Math.max(minFileBytes, 2 * size);
    await removeOthers();
  }

  return {
    get: (key) => table.get(key),
    entries: (prefix) => [...table].filter(([key]) => key.startsWith(prefix)),
    commit: (changes) =>
      new Promise((done, failed) => {
        waiting.push({ changes, done, failed });
        worker ??= work();
      }),
    async close() {
      await worker;
      await file?.close();
      file = undefined;
    },
  };
}

/** Of the names in a folder, the journal that counts: a newer one is complete as soon as it has its name. */
export function newestJournal(names: readonly string[]): string | undefined {
  return names
    .filter((name) => fileForm.test(name))
    .sort()
    .at(-1);
}

/** Reads the lines; cuts off a torn last one. Resolves to the size of what is good. */
async function load(file: OpenFile, table: Map<string, unknown>, path: string): Promise<number> {
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at);
    const changes = end < 0 ? undefined : changesOf(bytes.subarray(at, end));
    if (changes === undefined) break;
    for (const [key, value] of changes) apply(table, key, value ?? undefined);
    at = end + 1;
  }
  if (at === bytes.length) return at;
  if (hasGoodLine(bytes, at + 1)) {
    throw new FatalError(
      'outbox.damaged',
      `${path} is damaged at byte ${at}: put back the folder from a backup, or move it away and ask the platform what it holds.`,
    );
  }
  await file.truncate(at);
  await file.sync();
  return at;
}

function hasGoodLine(bytes: Uint8Array, from: number): boolean {
  for (let start = bytes.indexOf(10, from) + 1; start > 0; start = bytes.indexOf(10, start) + 1) {
    const end = bytes.indexOf(10, start);
    if (end >= 0 && changesOf(bytes.subarray(start, end)) !== undefined) return true;
  }
  return false;
}

function lineOf(changes: Changes): Uint8Array {
  const json = JSON.stringify(changes.map(([key, value]) => [key, value ?? null]));
  return Buffer.from(`${checksum(json)} ${json}\n`, 'utf8');
}

function changesOf(line: Uint8Array): Changes | undefined {
  const text = Buffer.from(line).toString('utf8');
  const json = text.slice(9);
  if (text.slice(0, 9) !== `${checksum(json)} `) return undefined;
  return JSON.parse(json) as Changes;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

function apply(table: Map<string, unknown>, key: string, value: unknown): void {
  if (value === undefined || value === null) table.delete(key);
  else table.set(key, value);
}
