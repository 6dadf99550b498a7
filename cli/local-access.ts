import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import { replaceSmallFile } from '@nhip/core/process/small-file';
import { z } from 'zod';

/**
 * How commands on the same computer reach the running server: its address and a token of its own, new with every start, in a file
 * that only the user of the server can read. Who can read it could read and change the whole data folder anyway.
 */
export interface LocalAccess {
  readonly url: string;
  readonly token: string;
  /** Process id of the server. */
  readonly pid: number;
}

const fileName = 'local-access.json';

const content = z.strictObject({
  url: z.url().describe('Address of the running server'),
  token: z.string().min(1).describe('API token that lives as long as its process'),
  pid: z.int().describe('Process id of the server'),
});

export function createLocalToken(): string {
  return `nhip_${randomBytes(32).toString('base64url')}`;
}

/** Writes the file into the server's data folder (mode 0600). */
export async function publishLocalAccess(serverDir: string, access: LocalAccess): Promise<void> {
  await replaceSmallFile(createNodeDisk(serverDir), '.', fileName, new TextEncoder().encode(`${JSON.stringify(access)}\n`));
}

export function removeLocalAccess(serverDir: string): void {
  rmSync(join(serverDir, fileName), { force: true });
}

/** undefined when there is none, or none that can be read. It may be a left-over of a server that was killed. */
export function readLocalAccess(serverDir: string): LocalAccess | undefined {
  try {
    return content.parse(JSON.parse(readFileSync(join(serverDir, fileName), 'utf8')));
  } catch {
    return undefined;
  }
}

/** The address under which this computer reaches a server that listens on `host`. */
export function localUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === 'localhost' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
