import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join, normalize, resolve } from 'node:path';
import type { Disk, OpenFile } from './env.ts';

const flagsOf = { read: 'r', write: 'r+', create: 'w+' } as const;

/**
 * The files under `rootDir`. The root and every folder made here are private (0700), files 0600. The root is created by the
 * first `makeDir` or `open(…, 'create')`. A path that leaves the root throws a RangeError.
 */
export function createNodeDisk(rootDir: string): Disk {
  const root = resolve(rootDir);
  let rootReady: Promise<void> | undefined;

  const absolute = (path: string): string => {
    const inside = normalize(path);
    if (inside === '..' || inside.startsWith('../') || inside.startsWith('/')) {
      throw new RangeError(`${path}: the path leaves the data folder ${root}`);
    }
    return join(root, inside);
  };
  const prepareRoot = (): Promise<void> => {
    rootReady ??= makeDurableDir(root).catch((error: unknown) => {
      rootReady = undefined;
      throw error;
    });
    return rootReady;
  };

  return {
    async open(path, mode) {
      if (mode === 'create') {
        await prepareRoot();
      }
      return openFile(await open(absolute(path), flagsOf[mode], 0o600));
    },
    readDir: async (path) => readdir(absolute(path)),
    async makeDir(path) {
      await prepareRoot();
      await makeDurableDir(absolute(path));
    },
    rename: async (from, to) => rename(absolute(from), absolute(to)),
    unlink: async (path) => unlink(absolute(path)),
    syncDir: async (path) => syncFolder(absolute(path)),
  };
}

/** Makes `path` with its parents, and makes the new entries survive a power cut. */
async function makeDurableDir(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) {
    return;
  }
  for (let folder = path; folder.length >= firstMade.length; folder = dirname(folder)) {
    await syncFolder(dirname(folder));
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function openFile(handle: FileHandle): OpenFile {
  return {
    async read(buffer, position) {
      let done = 0;
      while (done < buffer.length) {
        const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
        if (bytesRead === 0) {
          break;
        }
        done += bytesRead;
      }
      return done;
    },
    async write(buffer, position) {
      let done = 0;
      while (done < buffer.length) {
        done += (await handle.write(buffer, done, buffer.length - done, position + done)).bytesWritten;
      }
    },
    truncate: async (size) => handle.truncate(size),
    size: async () => (await handle.stat()).size,
    sync: async () => handle.datasync(),
    close: async () => handle.close(),
  };
}
