import { statSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { ConfigError } from '@nhip/core/process/errors';
import { isLoopback } from '@nhip/core/process/loopback';
import { readTlsFiles } from '@nhip/core/process/node-tls-files';
import type { PlatformConfig } from '../config.ts';
import type { CertificateMode } from './certificate-rule.ts';

/** How the server speaks TLS, and of whom it asks a certificate. */
export interface ServerTls {
  /** undefined: plain HTTP. */
  readonly options: ServerOptions | undefined;
  readonly mode: CertificateMode;
}

const handshakeTimeoutMs = 10_000;

/**
 * Reads the files that the configuration names. Throws ConfigError when they cannot be used, when others may read the key, and when the
 * server would be reached from other computers unencrypted.
 */
export function readServerTls({ host, tls, behindProxy }: Pick<PlatformConfig, 'host' | 'tls' | 'behindProxy'>): ServerTls {
  if (tls === undefined) {
    if (isLoopback(host) || behindProxy) return { options: undefined, mode: 'off' };
    throw new ConfigError('host', [
      `${host} is reached from other computers, and reports and secrets would cross the network unencrypted: set tls, or behindProxy where a proxy before it ends TLS`,
    ]);
  }
  const context = readTlsFiles(tls, 'tls');
  const { keyFile, clientCaFile, clientCertificate } = tls;
  const hasOpenKey = process.platform !== 'win32' && (statSync(keyFile).mode & 0o077) !== 0;
  if (hasOpenKey) throw new ConfigError(keyFile, ['others can read it: chmod 600']);
  const asksClients = clientCaFile !== undefined;
  const options: ServerOptions = {
    ...context,
    handshakeTimeout: handshakeTimeoutMs,
    // What is not good is refused by the answer to a request, which says why.
    ...(asksClients ? { requestCert: true, rejectUnauthorized: false } : {}),
  };
  return { options, mode: asksClients ? clientCertificate : 'off' };
}
