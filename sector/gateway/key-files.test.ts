import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { generateKey, pemOf } from '../contract/keys.ts';
import { loadPlatformKeys, loadSigningKey, readSecretFile } from './key-files.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nhip-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('makes a signing key at the first start, readable by its owner only, and keeps it', async () => {
  const path = join(folder, 'signing-key.pem');
  const [first, second] = [await loadSigningKey(path, '0999999983', 'k1'), await loadSigningKey(path, '0999999983', 'k1')];
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(first.kid).toBe('0999999983#k1');
  expect(pemOf(first.privateKey)).toBe(pemOf(second.privateKey));
});

it('refuses a secret that others may read, and a file that is no key', async () => {
  const path = join(folder, 'secret');
  await writeFile(path, 'abc\n', { mode: 0o600 });
  expect(await readSecretFile(path)).toBe('abc');
  await expect(loadSigningKey(path, '0999999983', 'k1')).rejects.toThrow('is no Ed25519 private key');
  await chmod(path, 0o640);
  await expect(readSecretFile(path)).rejects.toThrow('chmod 600');
});

it('takes public keys of a platform, and never a private one', async () => {
  const path = join(folder, 'platform.pem');
  const { publicKey, privateKey } = generateKey();
  await writeFile(path, pemOf(publicKey));
  expect(await loadPlatformKeys(path)).toHaveLength(1);
  await writeFile(path, pemOf(privateKey));
  await expect(loadPlatformKeys(path)).rejects.toThrow('private key');
});
