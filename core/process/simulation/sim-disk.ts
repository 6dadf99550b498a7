/**
 * A disk in memory that is as unkind as a real one may be.
 *
 * - What was not synced is lost, kept or torn at a power cut, file by file and sector by sector.
 * - Creations, renames and unlinks whose folder was not synced are undone or kept at a power cut, also out of order.
 * - A process that was killed or lost its power hangs: its operations never settle. `boot` gives the next process its disk.
 *
 * Folders themselves are durable at once.
 */
import { dirname, normalize } from 'node:path';
import type { Disk, OpenFile, Random } from '../env.ts';
import { SimFile } from './sim-file.ts';

export interface SimDisk {
  /** The disk as the next process sees it; earlier processes hang from now on. Unsynced changes stay visible, as after `kill -9`. */
  boot(): Disk;
  /** Cuts the power now. */
  crash(random: Random): void;
  /** Cuts the power during the `operations`-th operation from now (1 = the next); resolves when it happens. */
  crashAfter(operations: number, random: Random): Promise<void>;
  /** Kills the process during the `operations`-th operation from now, as `kill -9` does; resolves when it happens. */
  killAfter(operations: number, random: Random): Promise<void>;
  /** Bytes that all files together may have; what does not fit fails with ENOSPC after a part was written. */
  setCapacity(bytes: number): void;
  /** The next sync of a file fails with EIO: its unsynced changes will be gone after the next power cut, later syncs succeed. */
  failNextSync(): void;
  /** Takes back what is planned to fail and has not yet. */
  spare(): void;
  /** Bit rot: flips one bit of `path` at or after byte `fromByte`. */
  flipBit(path: string, random: Random, fromByte?: number): void;
  /** Everything in `folder` and below is gone for good, as after a changed disk. No process may run. */
  wipe(folder: string): void;
  /** Paths of all files, as programs see them. */
  files(): readonly string[];
  /** The content of a file, as programs see it. */
  content(path: string): Uint8Array;
  /** Operations so far. */
  readonly operations: number;
}

/** Names that change together: a creation, a rename or an unlink. */
interface NameChange {
  readonly folders: readonly string[];
  readonly names: readonly (readonly [path: string, file: SimFile | undefined])[];
}

/** An operation takes one turn of the event loop; with `jitter` some take many, so that concurrent ones interleave in more ways. */
export function createSimDisk(jitter?: Random): SimDisk {
  const folders = new Set(['.']);
  let visible = new Map<string, SimFile>();
  const durable = new Map<string, SimFile>();
  let unsyncedNames: NameChange[] = [];
  let process = 0;
  let capacity = Number.POSITIVE_INFINITY;
  let syncFails = false;
  let operations = 0;
  let plannedEnd: { atOperation: number; random: Random; end: () => void } | undefined;

  const crash = (random: Random): void => {
    process++;
    plannedEnd = undefined;
    syncFails = false;
    const everyFile = new Set([
      ...visible.values(),
      ...durable.values(),
      ...unsyncedNames.flatMap(({ names }) => names.map(([, file]) => file)),
    ]);
    const firstLost = Math.floor(random.next() * (unsyncedNames.length + 1));
    const isOrdered = random.next() < 0.5;
    for (const [i, change] of unsyncedNames.entries()) {
      if (isOrdered ? i < firstLost : random.next() < 0.5) {
        applyNames(durable, change);
      }
    }
    unsyncedNames = [];
    visible = new Map(durable);
    for (const file of everyFile) {
      file?.crash(random);
    }
  };

  /** One operation of process `by`: takes effect a turn after the call, or never when the process ended before. */
  const operation = async <T>(by: number, effect: () => T): Promise<T> => {
    for (let turns = jitter === undefined ? 1 : 1 + Math.floor(60 * jitter.next() ** 4); turns > 0; turns--) {
      await Promise.resolve();
    }
    if (by === process) {
      operations++;
      if (operations !== plannedEnd?.atOperation) {
        return effect();
      }
      if (plannedEnd.random.next() < 0.5) {
        ignoreFailure(effect);
      }
      plannedEnd.end();
    }
    return new Promise(() => undefined);
  };

  const endAfter = (count: number, random: Random, end: () => void): Promise<void> =>
    new Promise((resolve) => {
      plannedEnd = {
        atOperation: operations + count,
        random,
        end: () => {
          end();
          resolve();
        },
      };
    });

  const changeNames = (...names: NameChange['names']): void => {
    const change = { names, folders: names.map(([path]) => dirname(path)) };
    applyNames(visible, change);
    unsyncedNames.push(change);
  };
  const find = (path: string): SimFile => {
    const file = visible.get(path);
    if (file === undefined) {
      throw diskError('ENOENT', path);
    }
    return file;
  };
  const freeBytes = (): number => {
    let free = capacity;
    for (const file of visible.values()) {
      free -= file.visible.size;
    }
    return Math.max(0, free);
  };

  const openFile = (by: number, path: string, file: SimFile): OpenFile => ({
    read: (buffer, position) =>
      operation(by, () => {
        const part = file.visible.bytes.subarray(position, position + buffer.length);
        buffer.set(part);
        return part.length;
      }),
    write: (buffer, position) =>
      operation(by, () => {
        const growth = Math.max(0, position + buffer.length - file.visible.size);
        const lacking = Math.max(0, growth - freeBytes());
        file.write(position, buffer.subarray(0, Math.max(0, buffer.length - lacking)));
        if (lacking > 0) {
          throw diskError('ENOSPC', path);
        }
      }),
    truncate: (size) => operation(by, () => file.truncate(size)),
    size: () => operation(by, () => file.visible.size),
    sync: () =>
      operation(by, () => {
        if (syncFails) {
          syncFails = false;
          file.failSync();
          throw diskError('EIO', path);
        }
        file.sync();
      }),
    close: () => operation(by, () => undefined),
  });

  const diskFor = (by: number): Disk => ({
    open: (path, mode) =>
      operation(by, () => {
        const name = normalize(path);
        if (mode === 'create') {
          if (!folders.has(dirname(name))) {
            throw diskError('ENOENT', path);
          }
          const existing = visible.get(name);
          existing?.truncate(0);
          if (existing === undefined) {
            changeNames([name, new SimFile()]);
          }
        }
        return openFile(by, name, find(name));
      }),
    readDir: (path) =>
      operation(by, () => {
        const folder = normalize(path);
        if (!folders.has(folder)) {
          throw diskError('ENOENT', path);
        }
        return [...visible.keys()]
          .filter((name) => dirname(name) === folder)
          .map((name) => name.slice(folder === '.' ? 0 : folder.length + 1));
      }),
    makeDir: (path) =>
      operation(by, () => {
        for (let folder = normalize(path); folder !== '.'; folder = dirname(folder)) {
          folders.add(folder);
        }
      }),
    rename: (from, to) => operation(by, () => changeNames([normalize(from), undefined], [normalize(to), find(normalize(from))])),
    unlink: (path) =>
      operation(by, () => {
        find(normalize(path));
        changeNames([normalize(path), undefined]);
      }),
    syncDir: (path) =>
      operation(by, () => {
        const folder = normalize(path);
        for (const change of unsyncedNames.filter((candidate) => candidate.folders.includes(folder))) {
          applyNames(durable, change);
        }
        unsyncedNames = unsyncedNames.filter((change) => !change.folders.includes(folder));
      }),
  });

  return {
    boot: () => diskFor(++process),
    crash,
    crashAfter: (count, random) => endAfter(count, random, () => crash(random)),
    killAfter: (count, random) =>
      endAfter(count, random, () => {
        process++;
        plannedEnd = undefined;
      }),
    setCapacity(bytes) {
      capacity = bytes;
    },
    failNextSync() {
      syncFails = true;
    },
    spare() {
      syncFails = false;
      plannedEnd = undefined;
    },
    flipBit(path, random, fromByte = 0) {
      const file = find(path);
      file.flipBit(8 * fromByte + Math.floor(random.next() * 8 * Math.max(0, file.visible.size - fromByte)));
    },
    wipe(folder) {
      const lost = (path: string): boolean => path.startsWith(`${normalize(folder)}/`);
      for (const names of [visible, durable]) for (const path of names.keys()) if (lost(path)) names.delete(path);
      unsyncedNames = unsyncedNames.filter(({ names }) => !names.some(([path]) => lost(path)));
    },
    files: () => [...visible.keys()],
    content: (path) => find(path).visible.bytes,
    get operations() {
      return operations;
    },
  };
}

function applyNames(names: Map<string, SimFile>, change: NameChange): void {
  for (const [path, file] of change.names) {
    if (file === undefined) {
      names.delete(path);
    } else {
      names.set(path, file);
    }
  }
}

/** The operation during which the process ended may have failed as well; nobody is left to hear of it. */
function ignoreFailure(effect: () => unknown): void {
  try {
    effect();
  } catch {
    return;
  }
}

function diskError(code: 'ENOENT' | 'ENOSPC' | 'EIO', path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated disk, ${path}`), { code });
}
