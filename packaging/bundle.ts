import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };
import { type DerivedData, thirdPartyNotices } from './notices.ts';
import { copySerialPort, type Platform } from './serial-port.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const sunspec: DerivedData = {
  name: 'SunSpec information models',
  license: 'Apache-2.0',
  noticeFile: join(root, 'edge-agent/profiles/sunspec/NOTICE'),
};

export interface BundleSize {
  /** What Node loads to run an agent without OPC UA and without serial lines. */
  readonly coreBytes: number;
  /** All JavaScript of the bundle. */
  readonly totalBytes: number;
  /** Packages that are in it. */
  readonly packages: readonly string[];
}

/**
 * The edge agent as a folder that runs on Node 20–24 on any processor, with nothing to install: `nhip-edge.mjs`, `lib/` (one file for
 * what every agent needs, drivers in files that are loaded when a connection uses them) and `node_modules/` with serialport, the one
 * package that has native code: its prebuilt binaries lie beside it and need no install script. Replaces `outDir`.
 */
export async function buildBundle(outDir: string, platforms: readonly Platform[]): Promise<BundleSize> {
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(root, 'cli/edge-main.ts')],
    outdir: join(outDir, 'lib'),
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Names stay: a stack trace from a gateway must say where it was.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    // proper-lockfile: one of two ways of @ster5/global-mutex, which node-opcua does not take.
    external: ['serialport', 'proper-lockfile'],
    define: { 'process.env.NHIP_EDGE_PROGRAM': '"nhip-edge"' },
    banner: { js: "import { createRequire as nhipRequire } from 'node:module'; const require = nhipRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  cpSync(join(root, 'packaging/edge/nhip-edge.mjs'), join(outDir, 'nhip-edge.mjs'));
  chmodSync(join(outDir, 'nhip-edge.mjs'), 0o755);
  const { name, version, license } = manifest;
  writeFileSync(
    join(outDir, 'package.json'),
    `${JSON.stringify({ name: `${name}-edge`, version, license, type: 'module', engines: manifest.engines, bin: { 'nhip-edge': 'nhip-edge.mjs' } }, undefined, 2)}\n`,
  );
  const packages = packagesOf(metafile);
  const native = copySerialPort(join(root, 'node_modules'), join(outDir, 'node_modules'), platforms);
  cpSync(join(root, 'LICENSE'), join(outDir, 'LICENSE'));
  writeFileSync(join(outDir, 'THIRD-PARTY.txt'), thirdPartyNotices(join(root, 'node_modules'), [...packages, ...native], [sunspec]));
  return { ...bytesOf(metafile), packages };
}

/** Folders under node_modules, e.g. `mqtt` or `mqtt/node_modules/lru-cache`. */
function packagesOf({ inputs }: Metafile): readonly string[] {
  const found = Object.keys(inputs).flatMap((file) => /node_modules\/((?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(found)].sort();
}

function bytesOf({ outputs }: Metafile): { readonly coreBytes: number; readonly totalBytes: number } {
  const entry = Object.keys(outputs).find((file) => outputs[file]?.entryPoint === 'cli/edge-main.ts') ?? '';
  const core = new Set<string>();
  const visit = (file: string): void => {
    if (core.has(file)) return;
    core.add(file);
    for (const { path, kind, external } of outputs[file]?.imports ?? []) if (kind === 'import-statement' && external !== true) visit(path);
  };
  visit(entry);
  const bytes = (files: Iterable<string>): number => [...files].reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);
  return { coreBytes: bytes(core), totalBytes: bytes(Object.keys(outputs)) };
}
