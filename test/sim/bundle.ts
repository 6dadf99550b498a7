import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/** The simulation and the product code that it runs, in one file. */
export interface Bundle {
  readonly file: string;
  remove(): void;
}

/** `plugins` may change sources on the way: that is how a build is sabotaged. */
export async function bundleSimulation(plugins: readonly Plugin[] = []): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-sim-'));
  const file = join(folder, 'worker.mjs');
  try {
    await build({
      entryPoints: [join(here, 'worker.ts')],
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      plugins: [...plugins],
      banner: { js: "import { createRequire as simRequire } from 'node:module'; const require = simRequire(import.meta.url);" },
      logLevel: 'error',
    });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
