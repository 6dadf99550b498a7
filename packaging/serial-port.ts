import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** As node-gyp-build names the folders of prebuilt binaries. */
export type Platform = 'linux-x64' | 'linux-arm64' | 'linux-arm';

export const linux: readonly Platform[] = ['linux-x64', 'linux-arm64', 'linux-arm'];

/** What is in the packages and is of no use to a program. */
const ballast = /\.(?:md|ts|map|cc|c|h|cpp|hpp|gyp|gypi)$|\/(?:test|tests|\.github)\//i;

/**
 * Copies serialport and what it needs, with the prebuilt binaries of these platforms only. Returns the names of the packages, none when
 * serialport is not installed: the bundle then reads everything but serial lines.
 */
export function copySerialPort(from: string, to: string, platforms: readonly Platform[]): readonly string[] {
  if (!existsSync(join(from, 'serialport'))) return [];
  const names = dependenciesOf(from, 'serialport');
  for (const name of names) {
    const filter = (path: string): boolean => !ballast.test(path.slice(join(from, name).length)) && !path.includes(`${name}/build/`);
    cpSync(join(from, name), join(to, name), { recursive: true, dereference: true, filter });
  }
  const prebuilds = join(to, '@serialport/bindings-cpp/prebuilds');
  for (const folder of readdirSync(prebuilds)) {
    if (!platforms.includes(folder as Platform)) rmSync(join(prebuilds, folder), { recursive: true });
  }
  return names;
}

/** The package and everything that it needs; all of them lie side by side in `folder`, or inside the package that needs them. */
function dependenciesOf(folder: string, name: string): readonly string[] {
  const found = new Set<string>();
  const visit = (each: string): void => {
    if (found.has(each) || !existsSync(join(folder, each))) return;
    found.add(each);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, each, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    for (const needed of Object.keys(dependencies)) visit(needed);
  };
  visit(name);
  return [...found].sort();
}
