import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeEnv } from './node-env.ts';

describe('the real machine', () => {
  let base: string;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'nhip-env-'));
  });
  afterEach(async () => {
    await rm(base, { recursive: true });
  });

  it('writes and reads at positions, and lists, renames and removes files', async () => {
    const { disk } = createNodeEnv(join(base, 'data'));
    await disk.makeDir('a/b');
    const file = await disk.open('a/b/x', 'create');
    await file.write(Buffer.from('hello world'), 0);
    await file.write(Buffer.from('J'), 0);
    await file.sync();
    await file.truncate(5);
    const buffer = Buffer.alloc(10);
    expect(await file.read(buffer, 1)).toBe(4);
    expect(buffer.subarray(0, 4).toString()).toBe('ello');
    expect(await file.size()).toBe(5);
    await file.close();
    await disk.rename('a/b/x', 'a/b/y');
    await disk.syncDir('a/b');
    expect(await disk.readDir('a/b')).toEqual(['y']);
    await disk.unlink('a/b/y');
    await expect(disk.open('a/b/y', 'read')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes its root private', async () => {
    const { disk } = createNodeEnv(join(base, 'data'));
    await (await disk.open('x', 'create')).close();
    expect((await stat(join(base, 'data'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(base, 'data', 'x'))).mode & 0o777).toBe(0o600);
  });

  it('refuses a path outside its root', async () => {
    const { disk } = createNodeEnv(join(base, 'data'));
    await expect(disk.open('../outside', 'create')).rejects.toThrow(RangeError);
    await expect(disk.open('/etc/passwd', 'read')).rejects.toThrow(RangeError);
  });

  it('runs, cancels and aborts timers', async () => {
    const { clock } = createNodeEnv(base);
    const fired: string[] = [];
    clock.after(1, () => fired.push('cancelled')).cancel();
    const started = clock.monotonic();
    await clock.sleep(5);
    expect(clock.monotonic() - started).toBeGreaterThanOrEqual(4);
    expect(fired).toEqual([]);
    const abort = new AbortController();
    const sleeping = clock.sleep(60_000, abort.signal);
    abort.abort(new Error('stop'));
    await expect(sleeping).rejects.toThrow('stop');
    await expect(clock.sleep(1, abort.signal)).rejects.toThrow('stop');
  });

  it('draws numbers in [0, 1) and bytes', () => {
    const { random } = createNodeEnv(base);
    for (let i = 0; i < 100; i++) {
      const value = random.next();
      expect(value >= 0 && value < 1).toBe(true);
    }
    expect(random.bytes(16)).toHaveLength(16);
    expect(Buffer.from(random.bytes(16)).equals(random.bytes(16))).toBe(false);
  });
});
