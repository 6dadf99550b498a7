import { type BigIntStats, closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from './errors.ts';

export interface FolderLock {
  /** Resolves when another may hold the folder. */
  release(): Promise<void>;
}

/**
 * Holds a folder for this process until `release`, or until the process ends, however it ends: two writers of one segment log
 * damage it. The lock is a listening local socket, because the system takes it away with the process; a file with a process id
 * would outlive a power cut, and the id may then be another's. It holds within one computer (Linux: one network namespace).
 * `folder` must exist. Throws PermanentError `process.folderInUse`; `release` may be called twice.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  for (;;) {
    const pin = pinFolder(folder);
    const lock = await lockPinned(pin).catch((error: unknown) => {
      pin.release();
      throw error;
    });
    if (lock === undefined) {
      pin.release();
      const advice = 'stop that one first, or give this one a folder of its own with --data';
      throw new PermanentError('process.folderInUse', `${folder} is in use by another process of Nhịp: ${advice}.`);
    }
    if (isStill(folder, pin.stats)) return lock;
    // Removed or replaced meanwhile: the lock is that of a folder that nobody means.
    await lock.release();
  }
}

interface Pin {
  readonly stats: BigIntStats;
  release(): void;
}

/** The lock's name is the folder's inode: while it is open, a new folder cannot get the number of a removed one. */
function pinFolder(folder: string): Pin {
  if (process.platform === 'win32') return { stats: statSync(folder, { bigint: true }), release: () => undefined };
  const handle = openSync(folder, 'r');
  return { stats: fstatSync(handle, { bigint: true }), release: () => closeSync(handle) };
}

/** Whether the folder of this name is the one that was pinned. */
function isStill(folder: string, { dev, ino }: BigIntStats): boolean {
  const now = statSync(folder, { bigint: true, throwIfNoEntry: false });
  return now?.dev === dev && now.ino === ino;
}

/** The lock, which gives the pin back when it is released; undefined when somebody else has it. */
async function lockPinned(pin: Pin): Promise<FolderLock | undefined> {
  const path = socketPath(pin.stats);
  const server = (await listen(path)) ?? (await listenInsteadOfDead(path));
  if (server === undefined) return undefined;
  let released: Promise<void> | undefined;
  return {
    release() {
      released ??= new Promise<void>((resolve) => server.close(() => resolve())).then(pin.release);
      return released;
    },
  };
}

/** By device and inode: the same folder under another name is the same folder. */
function socketPath({ dev, ino }: BigIntStats): string {
  const name = `nhip-folder-${dev}-${ino}`;
  if (process.platform === 'linux') return `\0${name}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

/** Resolves undefined when somebody listens there. The socket does not keep the process alive. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    // Also later: who cannot be let in for want of file handles is none of ours.
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen({ path }, () => resolve(server));
    server.unref();
  });
}

/** A socket that is a file outlives its process. */
async function listenInsteadOfDead(path: string): Promise<Server | undefined> {
  const isFile = process.platform !== 'linux' && process.platform !== 'win32';
  if (!isFile || (await answers(path))) return undefined;
  rmSync(path, { force: true });
  return listen(path);
}

/** Nobody answers at the socket file of a process that ended. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
