import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Group that may open serial lines in Debian and its relatives: the service has it by systemd, not by its user. */
const serialGroup = 'dialout';

/**
 * When root runs a tool that writes into the data folder of an agent: goes on as the owner of the folder (of the nearest one that is
 * there), for good. What the tool makes is then the agent's, and root follows no link that somebody put there. Does nothing for other
 * users and for folders of root.
 */
export function goOnAsOwnerOf(folder: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = ownerOf(folder);
  if (uid === 0) return;
  try {
    process.setgroups?.([gid, serialGroup]);
  } catch {
    process.setgroups?.([gid]);
  }
  process.setgid?.(gid);
  process.setuid?.(uid);
}

function ownerOf(folder: string): { readonly uid: number; readonly gid: number } {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found ?? ownerOf(dirname(folder));
}
