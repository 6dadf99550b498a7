import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Platform } from './serial-port.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Debian's name of a processor, and its folder of prebuilt binaries. */
export const architectures = { amd64: 'linux-x64', arm64: 'linux-arm64', armhf: 'linux-arm' } as const satisfies Record<string, Platform>;

export type Architecture = keyof typeof architectures;

/** `dpkg-deb` is part of every Debian and Ubuntu. */
export function hasDpkg(): boolean {
  try {
    execFileSync('dpkg-deb', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Packs a bundle for one architecture. Returns the file: `<outDir>/nhip-edge_<version>_<architecture>.deb`. */
export function buildDeb(bundleDir: string, outDir: string, npmVersion: string, architecture: Architecture): string {
  // Debian reads what follows a dash as its own revision; ~ sorts before the release, as a pre-release must.
  const version = npmVersion.replaceAll('-', '~');
  const root = mkdtempSync(join(tmpdir(), 'nhip-deb-'));
  try {
    const folder = (path: string): string => {
      mkdirSync(join(root, path), { recursive: true, mode: 0o755 });
      return join(root, path);
    };
    const program = folder('usr/lib/nhip-edge');
    cpSync(bundleDir, program, { recursive: true });
    keepPrebuilds(join(program, 'node_modules/@serialport/bindings-cpp/prebuilds'), architectures[architecture]);
    symlinkSync('../lib/nhip-edge/nhip-edge.mjs', join(folder('usr/bin'), 'nhip-edge'));
    cpSync(join(here, 'systemd/nhip-edge.service'), join(folder('usr/lib/systemd/system'), 'nhip-edge.service'));
    const docs = folder('usr/share/doc/nhip-edge');
    cpSync(join(here, 'systemd/serial.conf'), join(docs, 'serial.conf'));
    cpSync(join(here, '../docs/reference/configuration.md'), join(docs, 'configuration.md'));
    cpSync(join(bundleDir, 'LICENSE'), join(docs, 'copyright'));
    cpSync(join(here, 'deb/edge.yaml'), join(folder('etc/nhip'), 'edge.yaml'));
    const control = folder('DEBIAN');
    writeFileSync(join(control, 'conffiles'), '/etc/nhip/edge.yaml\n');
    for (const script of ['postinst', 'prerm', 'postrm']) cpSync(join(here, 'deb', script), join(control, script));
    writeFileSync(join(control, 'control'), controlText(version, architecture, kibibytes(root)));
    makeReadable(root);
    for (const script of ['postinst', 'prerm', 'postrm']) chmodSync(join(control, script), 0o755);
    chmodSync(join(program, 'nhip-edge.mjs'), 0o755);
    const file = join(outDir, `nhip-edge_${version}_${architecture}.deb`);
    mkdirSync(outDir, { recursive: true });
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, file], { stdio: ['ignore', 'ignore', 'inherit'] });
    return file;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function controlText(version: string, architecture: Architecture, installedKiB: number): string {
  return `Package: nhip-edge
Version: ${version}
Architecture: ${architecture}
Maintainer: Nhip maintainers <maintainers@nhip.invalid>
Installed-Size: ${installedKiB}
Depends: nodejs (>= 20.19), adduser
Section: net
Priority: optional
Description: telemetry agent for factory gateways
 Reads PLCs, meters and machines over Modbus and OPC UA, keeps every sample on
 disk until the server has it, and publishes as Sparkplug B over MQTT.
`;
}

/** Debian runs on glibc: binaries for other processors and for musl are left out. */
function keepPrebuilds(folder: string, platform: Platform): void {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return;
  for (const name of readdirSync(folder)) {
    if (name !== platform) rmSync(join(folder, name), { recursive: true });
    else for (const file of readdirSync(join(folder, name))) if (file.includes('.musl.')) rmSync(join(folder, name, file));
  }
}

function entries(folder: string): readonly { readonly path: string; readonly isFolder: boolean }[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => ({ path: join(entry.parentPath, entry.name), isFolder: entry.isDirectory() }));
}

/** Whatever umask built it: everybody may read what is installed. */
function makeReadable(root: string): void {
  chmodSync(root, 0o755);
  for (const { path, isFolder } of entries(root)) chmodSync(path, isFolder ? 0o755 : 0o644);
}

function kibibytes(root: string): number {
  return entries(root).reduce((sum, { path, isFolder }) => sum + (isFolder ? 1 : Math.ceil(statSync(path).size / 1024)), 0);
}
