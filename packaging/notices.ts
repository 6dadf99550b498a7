import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Data of others that a file of ours was made from. */
export interface DerivedData {
  readonly name: string;
  readonly license: string;
  /** File with what its licence wants to be said. */
  readonly noticeFile: string;
}

/**
 * The licences of what is bundled: most of them ask that their text goes along. `names` are folders under `nodeModules`; `data` is under
 * licences whose text is in the LICENSE beside.
 */
export function thirdPartyNotices(nodeModules: string, names: readonly string[], data: readonly DerivedData[]): string {
  const derived = data.map(({ name, license, noticeFile }) => {
    const notice = readFileSync(noticeFile, 'utf8').trim();
    return `${name} (${license})\n\n${notice}\n\nThe text of the licence is in the file LICENSE beside this one.\n`;
  });
  const packages = [...new Set(names)].sort().map((name) => {
    const folder = join(nodeModules, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string; license?: unknown };
    const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)/i.test(each));
    const text = file !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : '';
    return `${name.replace(/^.*node_modules\//, '')} ${version} (${typeof license === 'string' ? license : 'see its text'})\n\n${text}\n`;
  });
  const parts = [...derived, ...packages];
  return `Software and data of others in this package, with their licences.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
