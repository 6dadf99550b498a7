import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { DuckDBConnection } from '@duckdb/node-api';
import { RetryableError, reasonOf } from '@nhip/core/process/errors';

const run = promisify(execFile);

/**
 * What the copying process runs. A file system that can share blocks (btrfs, XFS) makes the copy at once (FICLONE), others copy
 * inside the kernel.
 */
const copyScript = `const { constants, copyFileSync, chmodSync } = require('node:fs');
const [, from, to] = process.argv;
copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
chmodSync(to, 0o600);`;

/**
 * Copies a database that this process has open to the new file `copy`: everything committed, in one file that opens by itself.
 * Nobody may write through any connection until it resolves. Throws RetryableError `store.copyFailed`; what there is of the copy
 * is then the caller's to remove.
 *
 * The file is copied by a process of its own: closing any descriptor of a file takes away all locks that a process has on it
 * (fcntl(2), POSIX), and DuckDB's lock is what keeps a second program from writing into this database.
 */
export async function copyDatabase(writer: DuckDBConnection, file: string, copy: string, signal?: AbortSignal): Promise<void> {
  try {
    // Afterwards the file alone holds everything.
    await writer.run('CHECKPOINT');
    const rest = await stat(`${file}.wal`).catch(() => undefined);
    if (rest !== undefined && rest.size > 0) throw new Error(`${rest.size} bytes stayed in ${file}.wal`);
    await run(process.execPath, ['-e', copyScript, file, copy], signal === undefined ? {} : { signal });
  } catch (error) {
    throw new RetryableError('store.copyFailed', `The store ${file} could not be copied to ${copy}: ${failureOf(error)}`, { cause: error });
  }
}

/** The line of a failed script that says why, instead of its stack. */
function failureOf(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== '' ? error.stderr : '';
  const line = text.split('\n').find((each) => each.startsWith('Error: ')) ?? reasonOf(error);
  return line.replace(/^Error: /, '').slice(0, 300);
}
