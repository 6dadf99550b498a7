import { rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from './errors.ts';

/**
 * Holds a folder for this process until it ends, however it ends: two writers of one segment log damage it.
 * The lock is a listening local socket, because the system takes it away with the process; a file with a process id would
 * outlive a power cut, and the id may then be another's. It holds within one computer (Linux: one network namespace).
 * `folder` must exist. Throws PermanentError `process.folderInUse`.
 */
export async function lockFolder(folder: string): Promise<void> {
  const path = socketPath(folder);
  if (await listen(path)) return;
  const isFile = process.platform !== 'linux' && process.platform !== 'win32';
  if (isFile && !(await answers(path))) {
    rmSync(path, { force: true });
    if (await listen(path)) return;
  }
  const advice = 'stop that one first, or give this one a folder of its own with --data';
  throw new PermanentError('process.folderInUse', `${folder} is in use by another process of Nhịp: ${advice}.`);
}

/** By device and inode: the same folder under another name is the same folder. */
function socketPath(folder: string): string {
  const { dev, ino } = statSync(folder, { bigint: true });
  const name = `nhip-folder-${dev}-${ino}`;
  if (process.platform === 'linux') return `\0${name}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

/** Resolves false when somebody listens there. The socket does not keep the process alive. */
function listen(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen({ path }, () => resolve(true));
    server.unref();
  });
}

/** A socket file outlives its process; nobody answers there then. */
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
