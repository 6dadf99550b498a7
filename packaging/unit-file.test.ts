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
  const lines = readFileSync(join(here, 'docker/edge.Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const all = (instruction: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

  it('builds on a pinned Node for any processor', () => {
    const images = all('FROM');
    expect(images.length).toBe(2);
    for (const image of images) expect(image).toMatch(/node:\d+\.\d+\.\d+-bookworm-slim/);
    expect(new Set(images.map((image) => /node:\S+/.exec(image)?.[0])).size).toBe(1);
    expect(images[0]).toContain('--platform=$BUILDPLATFORM');
  });

  it('runs as nobody in particular, with what `npm run package` makes', () => {
    expect(all('USER')).toEqual(['10001:10001']);
    expect(lines.indexOf('USER 10001:10001')).toBeLessThan(lines.findIndex((line) => line.startsWith('ENTRYPOINT')));
    expect(all('COPY').at(-1)).toBe('--from=build /build/dist/edge/nhip-edge /opt/nhip-edge');
    expect(JSON.parse(all('ENTRYPOINT')[0] ?? '')).toEqual(['node', '/opt/nhip-edge/nhip-edge.mjs']);
    expect(existsSync(join(here, 'edge/nhip-edge.mjs'))).toBe(true);
    expect(all('RUN')[0]).toMatch(/npm ci --ignore-scripts && npm run package -- --bundle/);
  });
});
