import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Group that may open serial lines in Debian and its relatives: the service has it by systemd, not by its user. */
const serialGroup = 'dialout';

/**
 * When root runs a tool that writes into the data folder of an agent: goes on as the owner of the folder (of the nearest one that is
 * there), for good. What the tool makes is then the agent's, and root follows no link that somebody put there. Does nothing for other
 * users, and where root alone decides what the path leads to.
 */
export function goOnAsOwnerOf(folder: string): void {
  if (process.getuid?.() !== 0) return;
  const owner = ownerOf(resolve(folder));
  if (owner === undefined) return;
  const { uid, gid } = owner;
  try {
    process.setgroups?.([gid, serialGroup]);
  } catch {
    process.setgroups?.([gid]);
  }
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/**
 * The first owner other than root on the way from the folder up. Whoever owns a link or a folder above can put a folder of root in the place
 * of this one: the folder itself says nothing.
 */
function ownerOf(folder: string): Stats | undefined {
  const target = statSync(folder, { throwIfNoEntry: false });
  const ways = target === undefined ? [folder] : [folder, realpathSync(folder)];
  const owners = ways.flatMap(upwards).map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return [target, ...owners].find((found) => found !== undefined && found.uid !== 0);
}

function upwards(path: string): readonly string[] {
  return dirname(path) === path ? [path] : [path, ...upwards(dirname(path))];
}
