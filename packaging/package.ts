import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundle } from './bundle.ts';
import { type Architecture, architectures, buildDeb, hasDpkg } from './deb.ts';
import { linux } from './serial-port.ts';

/**
 * `npm run package`: the edge agent for gateways, in dist/edge. A folder that runs with any Node 20–24 on Linux, and a .deb for each
 * architecture where dpkg-deb is there. `--bundle` makes only the folder.
 */
const out = fileURLToPath(new URL('../dist/edge', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
const bundle = join(out, 'nhip-edge');
const { coreBytes, totalBytes } = await buildBundle(bundle, linux);
process.stdout.write(`${bundle}  ${megabytes(totalBytes)}, of which an agent without OPC UA loads ${megabytes(coreBytes)}\n`);
if (process.argv.includes('--bundle')) process.exit(0);
if (!hasDpkg()) process.stdout.write('no .deb: dpkg-deb is not here (it is part of Debian and Ubuntu)\n');
else {
  for (const architecture of Object.keys(architectures) as Architecture[]) {
    process.stdout.write(`${buildDeb(bundle, out, version, architecture)}\n`);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
