import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const unit = join(here, 'systemd/nhip-edge.service');
const hasAnalyze = ((): boolean => {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasAnalyze)('the systemd unit', () => {
  it.each(['without serial lines', 'with serial lines'])('is understood by systemd, %s', (variant) => {
    const folder = mkdtempSync(join(tmpdir(), 'nhip-unit-'));
    try {
      // The program is not installed here; everything else is as it will be.
      const text = readFileSync(unit, 'utf8').replace('/usr/bin/nhip-edge run', '/bin/true run');
      const dropIn = variant === 'with serial lines' ? readFileSync(join(here, 'systemd/serial.conf'), 'utf8') : '';
      writeFileSync(join(folder, 'nhip-edge.service'), `${text}\n${dropIn}`);
      const said = execFileSync('systemd-analyze', ['verify', '--man=no', join(folder, 'nhip-edge.service')], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
      expect(said).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('exposes little: at most 2.0 of 10', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nhip-unit-'));
    try {
      cpSync(unit, join(folder, 'nhip-edge.service'));
      const args = ['security', '--offline=true', '--no-pager', '--threshold=20', join(folder, 'nhip-edge.service')];
      expect(execFileSync('systemd-analyze', args, { encoding: 'utf8' })).toMatch(/exposure level for nhip-edge\.service: [01]\.\d OK/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the Dockerfile', () => {
  const text = readFileSync(join(here, '../Dockerfile'), 'utf8');
  const edgeBase = /^ARG EDGE_BASE=(.*)$/m.exec(text)?.[1] ?? '';
  const stages = text
    .split(/^(?=FROM )/m)
    .slice(1)
    .map((stage) => stage.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
  const stage = (name: string): readonly string[] => stages.find(([from]) => from?.endsWith(` AS ${name}`)) ?? [];
  const all = (lines: readonly string[], instruction: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

  it('builds on one pinned Node, and what runs on the builder is not shipped', () => {
    const images = stages.map(([from]) => (from ?? '').replace('$EDGE_BASE', edgeBase));
    expect(new Set(images.map((image) => /node:\d+\.\d+\.\d+-bookworm-slim/.exec(image)?.[0])).size).toBe(1);
    expect(images.filter((image) => image.includes('--platform=$BUILDPLATFORM')).map((image) => image.split(' AS ')[1])).toEqual([
      'build',
      'packages',
    ]);
    for (const name of ['build', 'packages']) expect(all(stage(name), 'RUN')[0]).toMatch(/^npm ci .*--ignore-scripts/);
  });

  it.each([
    ['edge', '/opt/nhip-edge/nhip-edge.mjs', 'edge/nhip-edge.mjs'],
    ['server', '/opt/nhip/cli/bin.mjs', '../cli/bin.mjs'],
  ])('ships the %s without tools, run by nobody in particular', (name, program, source) => {
    const lines = stage(name);
    expect(all(lines, 'USER')).toEqual(['10001:10001']);
    expect(lines.indexOf('USER 10001:10001')).toBeLessThan(lines.findIndex((line) => line.startsWith('ENTRYPOINT')));
    expect(JSON.parse(all(lines, 'ENTRYPOINT')[0] ?? '')).toEqual(['node', program]);
    expect(existsSync(join(here, source))).toBe(true);
    expect(all(lines, 'RUN').join()).not.toMatch(/npm|apt/);
  });
});
