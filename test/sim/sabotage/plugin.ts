import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import type { Sabotage } from './sabotage.ts';

const checkout = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The sabotaged source. Throws when the text to replace is not there exactly once: then the list is out of date. */
export function sabotagedSource({ name, file, find, replace }: Sabotage): string {
  const source = readFileSync(join(checkout, file), 'utf8');
  const times = source.split(find).length - 1;
  if (times !== 1) throw new Error(`sabotage "${name}": its text is ${times} times in ${file}, not once; bring the list up to date`);
  return source.replace(find, () => replace);
}

/** Replaces the source while it is bundled; nothing on disk changes. */
export function sabotagePlugin(sabotage: Sabotage): Plugin {
  const path = join(checkout, sabotage.file);
  return {
    name: `sabotage: ${sabotage.name}`,
    setup(build) {
      let wasLoaded = false;
      build.onLoad({ filter: /\.ts$/ }, (args) => {
        if (args.path !== path) return undefined;
        wasLoaded = true;
        return { contents: sabotagedSource(sabotage), loader: 'ts' };
      });
      build.onEnd(() => {
        if (!wasLoaded) throw new Error(`sabotage "${sabotage.name}": ${sabotage.file} is not part of the simulation`);
      });
    },
  };
}
