import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type InitOptions = Parameters<NodeFS['init']>[1];

/** The parts of Emscripten's file layer that matter here. */
interface FileLayer {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: { readonly nfd: number }) => number } };
}

/**
 * PGlite's folder on disk, with a real fsync. As it comes, PGlite 0.5 forgets it twice: it starts PostgreSQL with `-F`, and Emscripten's
 * NODEFS has no `fsync`, so the call succeeds without doing anything: a commit would survive a kill but not a power cut. Files and
 * folders are open by a real descriptor there; this adds the missing call. fdatasync stays empty in Emscripten, hence `wal_sync_method`.
 */
export class DurableNodeFs extends NodeFS {
  readonly #onSyncFailed: (error: Error) => never;

  /** `onSyncFailed` gets the error of a failed fsync and must not return: nothing may be assumed of what was written. */
  constructor(folder: string, onSyncFailed: (error: Error) => never) {
    super(folder);
    this.#onSyncFailed = onSyncFailed;
  }

  override async init(pg: PGlite, options: InitOptions): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pg, options);
    const addFsync = (module: unknown): void => {
      (module as FileLayer).NODEFS.stream_ops.fsync = ({ nfd }) => {
        try {
          fsyncSync(nfd);
          return 0;
        } catch (error) {
          return this.#onSyncFailed(error instanceof Error ? error : new Error(String(error)));
        }
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addFsync] } };
  }
}

/** fsync of a folder and of everything in it, or of the folder alone: of its list of names. */
export function syncTree(folder: string, depth: 'all' | 'folderOnly' = 'all'): void {
  const sync = (path: string): void => {
    const descriptor = openSync(path, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  };
  if (depth === 'all') {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
      if (entry.isFile() || entry.isDirectory()) sync(join(entry.parentPath, entry.name));
    }
  }
  sync(folder);
}
