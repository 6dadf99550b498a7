import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { generateKey, kidOf, pemOf, privateKeyOf, type SigningKey } from '../contract/keys.ts';
import { type GivenKey, keysOf } from '../contract/verify-file.ts';

const maxFileBytes = 100_000;

/** The text of a file that only its owner may read. Throws ConfigError when it is missing, too open, or too long. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    const { mode, size } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new ConfigError(path, [`others may read it (mode ${(mode & 0o777).toString(8)}): chmod 600 ${path}`]);
    }
    if (size > maxFileBytes) throw new ConfigError(path, [`is longer than ${maxFileBytes} bytes: no secret`]);
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(path, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`]);
  }
}

/** The signing key of the plant; makes the file when there is none (mode 0600). Throws ConfigError when it is no key, or too open. */
export async function loadSigningKey(path: string, enterpriseId: string, name: string): Promise<SigningKey> {
  await makeKeyFile(path);
  try {
    return { kid: kidOf(enterpriseId, name), privateKey: privateKeyOf(await readSecretFile(path)) };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(path, ['is no Ed25519 private key in PKCS #8 PEM: put the right file back; a new key must be enrolled first']);
  }
}

/** Public keys of a platform. Throws ConfigError. */
export async function loadPlatformKeys(path: string): Promise<readonly GivenKey[]> {
  try {
    return keysOf(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
    throw new ConfigError(path, [`no public keys of the platform: ${reason}`]);
  }
}

/** Written beside, then linked: a file that exists is never replaced, and a crash leaves no half of one. */
async function makeKeyFile(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) return;
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(pemOf(generateKey().privateKey));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft);
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
