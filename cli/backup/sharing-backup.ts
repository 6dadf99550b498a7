import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import { restoredMark } from '@nhip/sector/gateway/after-restore';
import { type ConfiguredFile, configuredFiles } from '@nhip/sector/gateway/gateway-files';
import { copyOutbox } from '@nhip/sector/gateway/outbox/copy-outbox';
import { sharingFolder } from '../sector/sharing.ts';
import type { ServerSetup } from '../server-config.ts';
import { type Manifest, sharingName } from './manifest.ts';
import type { RestoreStep } from './restore-backup.ts';
import { packTar, unpackTar } from './tar.ts';

/** Where the gateway to sector platforms keeps what it knows, and the keys and secrets that its configuration names. */
export interface SharingPlaces {
  /** Its data folder, whether there is one or not. */
  readonly dir: string;
  /** Empty without `sharing` in the configuration. */
  readonly files: readonly ConfiguredFile[];
}

/**
 * In a backup:
 *
 *     sharing/data.tar        outbox: journal (reports, their states, policy versions), reports byte for byte, receipts, sources
 *     sharing/files/<name>    signing key, secrets, policy file, keys of the platforms
 *
 * One archive, because there may be ten thousands of small files. Not in it: the keys behind the pseudonyms of machines. They are destroyed
 * every month, and a backup that had them would undo that.
 */
const dataName = `${sharingName}/data.tar`;
const filesName = `${sharingName}/files`;
/** Below this folder of a staged backup `data.tar` is unpacked. */
const dataFolder = `${sharingName}/data`;
const outboxName = 'outbox';
const outboxPath = /^outbox\/(journal-\d{8}\.ndjson|(bytes|source|receipts)\/[\w.-]{1,60}\.json)$/;

export function sharingPlaces(setup: ServerSetup): SharingPlaces {
  const { dir, configDir } = sharingFolder(setup);
  return { dir, files: setup.config.sharing === undefined ? [] : configuredFiles(setup.config.sharing, configDir) };
}

/** Copies into the backup `partial` what there is, while the gateway runs or not; resolves to the paths of the backup. */
export async function copySharing({ dir, files }: SharingPlaces, partial: string): Promise<readonly string[]> {
  const written: string[] = [];
  const copy = join(partial, dataFolder);
  await mkdir(join(partial, filesName), { recursive: true, mode: 0o700 });
  if (existsSync(join(dir, outboxName))) {
    const names = await copyOutbox(createNodeDisk(dir), createNodeDisk(copy), outboxName);
    if (names.length > 0) {
      await packTar(copy, names, join(partial, dataName), () => {});
      written.push(dataName);
    }
    await rm(copy, { recursive: true, force: true });
  }
  for (const { name, path } of files) {
    if (!existsSync(path)) continue;
    await copyFile(path, join(partial, filesName, name));
    await chmod(join(partial, filesName, name), 0o600);
    written.push(`${filesName}/${name}`);
  }
  return written;
}

/** Bytes that unpacking a staged backup will need. */
export async function sharingBytes(staged: string): Promise<number> {
  return (await stat(join(staged, dataName)).catch(() => undefined))?.size ?? 0;
}

/** Unpacks the outbox of a verified staged backup and marks it as put back: the gateway then sends nothing until people have agreed anew. */
export async function unpackSharing(staged: string, createdMs: number): Promise<void> {
  if (!existsSync(join(staged, dataName))) return;
  const folder = join(staged, dataFolder);
  await mkdir(folder, { mode: 0o700 });
  await unpackTar(join(staged, dataName), folder, (name) => outboxPath.test(name));
  await writeFile(join(folder, outboxName, restoredMark), `${JSON.stringify({ backupMs: createdMs })}\n`, { mode: 0o600, flush: true });
}

/**
 * What a restore does with it. The outbox and the keys that are here are newer: reports left since, a consent may have been taken back. Those
 * of the backup are taken where there are none, or all with `isWanted`. Without `sharing` in the configuration the keys are put aside.
 */
export function planSharing(
  manifest: Manifest,
  places: SharingPlaces,
  root: string,
  isWanted: boolean,
  stamp: string,
): readonly RestoreStep[] {
  const has = (path: string): boolean => manifest.files.some((file) => file.path === path || file.path.startsWith(`${path}/`));
  const step = (from: string, to: string): RestoreStep => ({
    from,
    to,
    aside: existsSync(to) ? `${to}.before-restore-${stamp}` : undefined,
  });
  const data = has(dataName) ? [step(`${dataFolder}/${outboxName}`, join(places.dir, outboxName))] : [];
  const files = places.files.flatMap(({ name, path }) => (has(`${filesName}/${name}`) ? [step(`${filesName}/${name}`, path)] : []));
  const loose = places.files.length === 0 && has(filesName) ? [step(filesName, join(root, `sharing-files-of-backup-${stamp}`))] : [];
  return [...[...data, ...files].filter(({ aside }) => isWanted || aside === undefined), ...loose];
}

/** What to know about it, in plain words; undefined: there is nothing of it in the backup. */
export function describeSharing(manifest: Manifest, places: SharingPlaces, steps: readonly RestoreStep[]): string | undefined {
  if (!manifest.files.some(({ path }) => path === dataName)) return undefined;
  if (!steps.some(({ to }) => to === join(places.dir, outboxName))) {
    return 'What left the factory and who agreed is newer here and stays. To take that of the backup: --sharing.';
  }
  return 'What left the factory and who agreed is that of the backup: nothing leaves until a new version of the sharing policy is approved.';
}
