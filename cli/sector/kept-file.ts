import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import { replaceSmallFile } from '@nhip/core/process/small-file';

/** Files of a factory that only its user may read, written as a whole: keys, secrets, the policy. */

/** The text of a file; undefined when there is none. Throws ConfigError when it cannot be read. */
export function readKept(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ConfigError(file, [`cannot be read: ${code ?? String(error)}`]);
  }
}

/** Makes or replaces a file (mode 0600); durable when it resolves. */
export function keep(file: string, text: string): Promise<void> {
  return replaceSmallFile(createNodeDisk(dirname(file)), '.', basename(file), new TextEncoder().encode(text));
}
