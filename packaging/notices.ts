import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The licences of what is bundled: most of them ask that their text goes along. `names` are folders under `nodeModules`. */
export function thirdPartyNotices(nodeModules: string, names: readonly string[]): string {
  const parts = [...new Set(names)].sort().map((name) => {
    const folder = join(nodeModules, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string; license?: unknown };
    const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)/i.test(each));
    const text = file !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : '';
    return `${name.replace(/^.*node_modules\//, '')} ${version} (${typeof license === 'string' ? license : 'see its text'})\n\n${text}\n`;
  });
  return `Software of others in this package, with its licences.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
