import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packTar, parseHeader, tarHeader, unpackTar } from './tar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-tar-'));
  mkdirSync(join(folder, 'in/b'), { recursive: true });
  mkdirSync(join(folder, 'out'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const all = () => true;
const nothing = (): void => {};

describe('tar', () => {
  it('packs what GNU tar reads, and reads what GNU tar packs', async () => {
    writeFileSync(join(folder, 'in/a'), Buffer.alloc(1_500_001, 7));
    writeFileSync(join(folder, 'in/b/empty'), '');
    const archive = join(folder, 'x.tar');
    await packTar(join(folder, 'in'), ['a', 'b/empty'], archive, nothing);
    expect(statSync(archive).mode & 0o777).toBe(0o600);
    execFileSync('tar', ['-xf', archive, '-C', join(folder, 'out')]);
    expect(readFileSync(join(folder, 'out/a')).equals(readFileSync(join(folder, 'in/a')))).toBe(true);
    execFileSync('tar', ['-cf', join(folder, 'gnu.tar'), '-C', join(folder, 'in'), '.']);
    mkdirSync(join(folder, 'again'));
    await unpackTar(join(folder, 'gnu.tar'), join(folder, 'again'), all);
    expect(readFileSync(join(folder, 'again/a')).equals(readFileSync(join(folder, 'in/a')))).toBe(true);
    expect(statSync(join(folder, 'again/b/empty'))).toMatchObject({ size: 0 });
  });

  it('refuses links, names that nobody asked for, and an archive that was cut', async () => {
    execFileSync('ln', ['-s', '/etc/passwd', join(folder, 'in/link')]);
    execFileSync('tar', ['-cf', join(folder, 'link.tar'), '-C', join(folder, 'in'), 'link']);
    await expect(unpackTar(join(folder, 'link.tar'), join(folder, 'out'), all)).rejects.toThrow('"link" does not belong into a backup');
    writeFileSync(join(folder, 'in/a'), 'text');
    await packTar(join(folder, 'in'), ['a'], join(folder, 'a.tar'), nothing);
    await expect(unpackTar(join(folder, 'a.tar'), join(folder, 'out'), (name) => name === 'b')).rejects.toThrow(/does not belong/);
    truncateSync(join(folder, 'a.tar'), 514);
    await expect(unpackTar(join(folder, 'a.tar'), join(folder, 'out'), all)).rejects.toThrow('ends too early');
    writeFileSync(join(folder, 'no.tar'), Buffer.alloc(1024, 65));
    await expect(unpackTar(join(folder, 'no.tar'), join(folder, 'out'), all)).rejects.toThrow('it is no tar file');
  });

  it('has headers that keep any size', () => {
    const size = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(8 ** 11 - 1, 8 ** 11));
    fc.assert(
      fc.property(size, (bytes) => {
        expect(parseHeader(tarHeader('a/b', bytes, 1.7e12), 'x')).toEqual({ name: 'a/b', size: bytes, kind: 'file' });
      }),
    );
  });
});
