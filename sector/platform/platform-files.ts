import { createHash } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { generateKey, jwkOf, kidOf, pemOf, privateKeyOf, type SigningKey } from '../contract/keys.ts';
import { newSecret } from './auth/secrets.ts';
import { syncTree } from './database/durable-node-fs.ts';

export interface PlatformFiles {
  /** Signs receipts and tree heads. Its kid comes from the key itself: another key never has the same name. */
  readonly key: SigningKey;
  /** Bearer token of the operator's routes. */
  readonly operatorToken: string;
}

/**
 * The secrets in the data folder: `platform-key.pem` and `operator-token`, for the owner only; made on the first start. Throws ConfigError
 * when others can read them, or when the key is none. Back the key up: receipts are checked with its public half.
 */
export function openPlatformFiles(folder: string, platformId: string): PlatformFiles {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pem = secretFile(folder, 'platform-key.pem', () => pemOf(generateKey().privateKey));
  const operatorToken = secretFile(folder, 'operator-token', () => `${newSecret('nhipo')}\n`).trim();
  return { key: readKey(pem, platformId, folder), operatorToken };
}

function readKey(pem: string, platformId: string, folder: string): SigningKey {
  try {
    const privateKey = privateKeyOf(pem);
    const thumbprint = createHash('sha256')
      .update(Buffer.from(jwkOf('any#any', privateKey).x, 'base64url'))
      .digest('hex');
    return { kid: kidOf(platformId, thumbprint.slice(0, 16)), privateKey };
  } catch (error) {
    throw new ConfigError(join(folder, 'platform-key.pem'), [
      `no Ed25519 key in PKCS #8 PEM: ${error instanceof Error ? error.message : ''}`,
    ]);
  }
}

function secretFile(folder: string, name: string, make: () => string): string {
  const path = join(folder, name);
  if (!existsSync(path)) {
    const descriptor = openSync(`${path}.new`, 'w', 0o600);
    try {
      writeSync(descriptor, make());
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    chmodSync(`${path}.new`, 0o600);
    renameSync(`${path}.new`, path);
    syncTree(folder, 'folderOnly');
  }
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new ConfigError(path, ['others can read it: chmod 600']);
  }
  return readFileSync(path, 'utf8');
}
