import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const program = fileURLToPath(new URL('keep-needed.mjs', import.meta.url));
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nhip-keep-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(dir, file)), { recursive: true });
  writeFileSync(join(dir, file), text);
}
const install = (path: string, manifest: object = {}): void => write(`node_modules/${path}/package.json`, JSON.stringify(manifest));
const isThere = (path: string): boolean => existsSync(join(dir, 'node_modules', path));

it('keeps what the bundle asks for and what that needs, each in the version that it would find, and nothing else', () => {
  write('dist/nhip.js', 'import{connect}from"called";const duck=await import("@scope/native/sub");import fs from"node:fs";');
  write('dist/chunk.js', 'const later = require("required");');
  install('called', { dependencies: { shared: '2', absent: '1' } });
  install('called/node_modules/shared', { version: '2.0.0' });
  install('called/node_modules/orphan');
  install('shared', { version: '1.0.0' });
  install('@scope/native', { optionalDependencies: { '@scope/native-linux-arm64': '1' } });
  install('@scope/native-linux-arm64');
  install('@scope/other');
  install('@bundled/only');
  install('required', { peerDependencies: { peer: '1' } });
  install('peer');
  install('bundled');
  mkdirSync(join(dir, 'node_modules/@nhip'));
  symlinkSync('../../core', join(dir, 'node_modules/@nhip/core'));
  write('node_modules/.bin/bundled', '');

  execFileSync(process.execPath, [program, join(dir, 'dist'), join(dir, 'node_modules')]);
  for (const path of ['called', 'called/node_modules/shared', '@scope/native', '@scope/native-linux-arm64', 'required', 'peer']) {
    expect([path, isThere(path)]).toEqual([path, true]);
  }
  for (const path of ['called/node_modules/orphan', 'shared', '@scope/other', '@bundled', 'bundled', '@nhip', '.bin']) {
    expect([path, isThere(path)]).toEqual([path, false]);
  }
});

it('removes nothing when there is no bundle', () => {
  write('dist/other.txt', '');
  install('precious');
  const { status, stderr } = spawnSync(process.execPath, [program, join(dir, 'dist'), join(dir, 'node_modules')], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('is it there?');
  expect(isThere('precious')).toBe(true);
});

it('lets the builder say which processor an image is for', () => {
  const dockerfile = readFileSync(fileURLToPath(new URL('../../Dockerfile', import.meta.url)), 'utf8');
  // A default would be taken in place of what the builder says.
  expect(dockerfile.match(/^ARG (TARGET|BUILD)\w+.*$/gm)).toEqual(['ARG TARGETARCH']);
});
