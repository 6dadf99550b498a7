import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '@nhip/core/process/env';
import { ConfigError, PermanentError, RetryableError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { BackupState, Backups } from '@nhip/live/http/routes/backup';
import { readManifest } from './manifest.ts';
import { type BackupSources, writeBackup } from './write-backup.ts';

export interface BackupsDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Asked when a backup begins. */
  sources(): BackupSources;
}

const listed = 100;

/** Backups of the running server, one at a time, in folders named by their time below `folder`. `stop` gives a running one up. */
export function createBackups(folder: string, { clock, log, sources }: BackupsDeps): Backups & { stop(): Promise<void> } {
  const abort = new AbortController();
  let last: BackupState | undefined;
  let running: Promise<void> | undefined;

  async function write(state: BackupState): Promise<void> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const progress = (doneBytes: number, totalBytes: number): void => {
        last = { ...state, doneBytes, totalBytes };
      };
      const manifest = await writeBackup(state.folder, sources(), { nowMs: state.startedMs, signal: abort.signal, progress });
      const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      last = { ...state, state: 'done', doneBytes: bytes, totalBytes: bytes };
      log.info({ folder: state.folder, bytes, tookMs: clock.now() - state.startedMs }, 'Backup written');
    } catch (error) {
      log.error({ err: error, folder: state.folder }, 'The backup failed; nothing of it is left');
      const isOurs = [ConfigError, PermanentError, RetryableError].some((kind) => error instanceof kind);
      last = { ...state, state: 'failed', problem: isOurs && error instanceof Error ? error.message : 'The log of the server says why.' };
    }
  }

  return {
    start() {
      if (running !== undefined) throw new RetryableError('backup.running', 'A backup is being written: wait for it.');
      const startedMs = clock.now();
      const id = new Date(startedMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
      const state: BackupState = { id, folder: join(folder, id), startedMs, state: 'running', doneBytes: 0, totalBytes: 0, problem: null };
      last = state;
      running = write(state).finally(() => {
        running = undefined;
      });
      return state;
    },
    async list() {
      const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d{8}T\d{6}Z$/.test(name) && name !== last?.id);
      const before = names
        .sort()
        .slice(-listed)
        .flatMap((name) => describe(join(folder, name)));
      return last === undefined ? before : [...before, last];
    },
    async stop() {
      abort.abort();
      await running;
    },
  };
}

/** A finished one on disk; [] for a folder that is none. */
function describe(folder: string): readonly BackupState[] {
  try {
    const { createdMs, files } = readManifest(folder);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return [{ id: basename(folder), folder, startedMs: createdMs, state: 'done', doneBytes: bytes, totalBytes: bytes, problem: null }];
  } catch {
    return [];
  }
}

/** What a server that was killed left of a backup. */
export async function removePartialBackups(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (/^\..*\.partial$/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
