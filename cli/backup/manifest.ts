import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PermanentError, reasonOf } from '@nhip/core/process/errors';
import { z } from 'zod';

/**
 * A backup is a folder (or the same folder as a tar file). `manifest.json` is written last and names every other file:
 *
 *     manifest.json
 *     history.duckdb            the store, as of `checkpoint`
 *     history.cold/…/…          its files of closed days, hard links where the disk is the same
 *     server/…                  users, tokens, MQTT credentials: hashes, still secret; corrections and figures
 *     dead-letters/…            a copy of that log
 *     sharing/…                 the gateway to sector platforms: its outbox, keys and secrets
 *     config/…                  configuration and plant model that the server was started with
 */
export const manifestName = 'manifest.json';
export const historyName = 'history.duckdb';
export const coldName = 'history.cold';
export const deadLettersName = 'dead-letters';
export const serverFilesName = 'server';
export const sharingName = 'sharing';
export const configName = 'config';

/** Paths of files in a backup. */
export const backupPath = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*){0,2}$/;

const backupFile = z.strictObject({
  path: z.string().regex(backupPath, 'is no path of a backup').describe('Path in the backup, at most two folders deep'),
  bytes: z.int().min(0).describe('Size'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('Digest of its content, hex'),
});
export type BackupFile = z.infer<typeof backupFile>;

const manifest = z.strictObject({
  format: z.literal(1).describe('Format of the backup'),
  createdMs: z.int().describe('When it was begun, ms UTC'),
  versions: z
    .strictObject({
      nhip: z.string().describe('Release that made it'),
      node: z.string().describe('Node that it ran on'),
      storeSchema: z.int().describe('Schema version of the store'),
    })
    .describe('What made it'),
  checkpoint: z
    .strictObject({
      logId: z.string().describe('Id of the server’s log'),
      nextIndex: z.int().min(0).describe('Everything of the log below it is in the store'),
    })
    .describe('Where in the server’s log the store stands'),
  files: z.array(backupFile).max(100_000).describe('Every file besides this one'),
});
export type Manifest = z.infer<typeof manifest>;

/** Reads and checks the manifest in `folder`. Throws PermanentError `backup.unreadable`. */
export function readManifest(folder: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(join(folder, manifestName), 'utf8'));
  } catch (error) {
    const reason = reasonOf(error);
    throw new PermanentError('backup.unreadable', `${folder} is no backup of Nhịp that can be read: ${reason}`);
  }
  return parseManifest(value, folder);
}

export function parseManifest(value: unknown, source: string): Manifest {
  const parsed = manifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new PermanentError(
    'backup.unreadable',
    `${source}: the manifest is not one that this release reads (${issue?.path.join('.')}: ${issue?.message}); use the release that made it`,
  );
}
