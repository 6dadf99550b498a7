import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runNhip } from '../harness/nhip.ts';
import type { Cell, Need } from './cell.ts';

const folders = ['/usr/bin', '/usr/sbin', '/bin', '/sbin', '/usr/local/bin'];
const answers = new Map<Need, Promise<boolean>>();

/** What a cell needs and this computer does not have; [] when it can run. */
export async function missingNeeds({ needs = [] }: Cell): Promise<readonly Need[]> {
  const there = await Promise.all(needs.map(isThere));
  return needs.filter((_, i) => !there[i]);
}

function isThere(need: Need): Promise<boolean> {
  const known = answers.get(need) ?? look(need);
  answers.set(need, known);
  return known;
}

async function look(need: Need): Promise<boolean> {
  if (need === 'root') return process.getuid?.() === 0 && canMount();
  const [kind, name = ''] = need.split(' ');
  if (kind === 'nhip') return (await runNhip(['--help'])).stdout.includes(`\n  ${name} `);
  return name.startsWith('/') ? existsSync(name) : folders.some((folder) => existsSync(`${folder}/${name}`));
}

/** Root of a container may not have the powers of root. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', '-n', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
