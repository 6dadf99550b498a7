import { existsSync, statSync } from 'node:fs';
import { type Finding, ok, wrong } from './finding.ts';

export interface PrivatePath {
  readonly path: string;
  readonly kind: 'folder' | 'file';
}

/** Folders and files of secrets must be for their owner alone, and the owner must be who runs Nhịp. Missing ones are no fault here. */
export function permissionFindings(paths: readonly PrivatePath[], userId: number | undefined): readonly Finding[] {
  if (userId === undefined) return [];
  const present = paths.filter(({ path }) => existsSync(path));
  const findings = present.flatMap(({ path, kind }) => {
    const { mode, uid } = statSync(path);
    const found: Finding[] = [];
    if ((mode & 0o077) !== 0) {
      const wanted = kind === 'folder' ? '700' : '600';
      found.push(wrong('permissions', `Other users of this computer can get at ${path}.`, `Run: chmod ${wanted} ${path}`));
    }
    // root may read what belongs to the user of the service.
    if (uid !== userId && userId !== 0) {
      found.push(
        wrong(
          'permissions',
          `${path} belongs to another user (id ${uid}, you are ${userId}).`,
          'Run the doctor and Nhịp as the same user.',
        ),
      );
    }
    return found;
  });
  return findings.length > 0 ? findings : [ok('permissions', `${present.length} private files and folders are private.`)];
}
