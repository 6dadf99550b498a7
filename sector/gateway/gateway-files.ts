import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Disk } from '@nhip/core/process/env';
import { ConfigError } from '@nhip/core/process/errors';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import type { SigningKey } from '../contract/keys.ts';
import type { GivenKey } from '../contract/verify-file.ts';
import type { TlsOptions } from './adapters/http-request.ts';
import type { GatewayConfig, RecipientConfig } from './config.ts';
import { loadPlatformKeys, loadSigningKey, readSecretFile } from './key-files.ts';

/** Everything that the gateway reads besides its own data: keys, secrets, the policy, the folder of a bundle. */
export interface GatewayFiles {
  signingKey(): Promise<SigningKey>;
  /** undefined: there is no policy file. */
  policyText(): Promise<string | undefined>;
  platformKeys(recipient: RecipientConfig): Promise<readonly GivenKey[]>;
  secret(recipient: RecipientConfig): Promise<string>;
  tls(recipient: RecipientConfig): Promise<TlsOptions>;
  bundle(recipient: RecipientConfig): Disk;
}

/** A file that a configuration names, under a name that says what it is for. */
export interface ConfiguredFile {
  readonly name: string;
  readonly path: string;
}

/** Every file that a configuration names, relative to `folder`, whether it is there or not: what a restored gateway needs to go on. */
export function configuredFiles(config: GatewayConfig, folder: string): readonly ConfiguredFile[] {
  const connections = Object.entries(config.recipients).flatMap(([id, { secretFile, platformKeyFile, certFile, keyFile, caFile }]) => [
    { name: `${id}.secret`, file: secretFile },
    { name: `${id}.platform-key`, file: platformKeyFile },
    { name: `${id}.client-cert`, file: certFile },
    { name: `${id}.client-key`, file: keyFile },
    { name: `${id}.ca`, file: caFile },
  ]);
  const own = [
    { name: 'signing-key.pem', file: config.keyFile },
    { name: 'sharing-policy.yaml', file: config.policyFile },
  ];
  return [...own, ...connections].flatMap(({ name, file }) => (file === undefined ? [] : [{ name, path: resolve(folder, file) }]));
}

const maxPolicyBytes = 100_000;

/** The files that a configuration names, relative to `folder`. Problems are ConfigErrors with the path in them. */
export function createGatewayFiles(config: GatewayConfig, folder: string): GatewayFiles {
  const at = (file: string): string => resolve(folder, file);
  return {
    signingKey: () => loadSigningKey(at(config.keyFile), config.enterpriseId, config.keyName),
    async policyText() {
      const path = at(config.policyFile);
      try {
        const text = await readFile(path, 'utf8');
        if (text.length > maxPolicyBytes) throw new ConfigError(path, [`is longer than ${maxPolicyBytes} characters`]);
        return text;
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return undefined;
        throw new ConfigError(path, [`cannot be read: ${code ?? String(error)}`]);
      }
    },
    platformKeys: ({ platformKeyFile }) => loadPlatformKeys(at(platformKeyFile)),
    secret({ secretFile }) {
      if (secretFile === undefined)
        throw new ConfigError('recipients', ['secretFile is missing: the platform gives a secret when the key is enrolled']);
      return readSecretFile(at(secretFile));
    },
    async tls({ certFile, keyFile, caFile }) {
      return {
        ...(certFile === undefined ? {} : { cert: await readFile(at(certFile), 'utf8') }),
        ...(keyFile === undefined ? {} : { key: await readSecretFile(at(keyFile)) }),
        ...(caFile === undefined ? {} : { ca: await readFile(at(caFile), 'utf8') }),
      };
    },
    bundle({ folder: target }) {
      if (target === undefined) throw new ConfigError('recipients', ['folder is missing: where the bundle is written']);
      return createNodeDisk(at(target));
    },
  };
}
