import manifest from '../../package.json' with { type: 'json' };
import type { Command } from '../arguments.ts';

export const version: Command = {
  name: 'version',
  summary: 'Prints the version of Nhịp and of Node',
  flags: {},
  run: async () => {
    process.stdout.write(`nhip ${manifest.version} · node ${process.versions.node} · ${process.platform} ${process.arch}\n`);
    return 0;
  },
};
