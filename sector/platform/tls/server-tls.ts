import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '@nhip/core/process/errors';
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
  const { certFile, keyFile, clientCaFile, clientCertificate } = tls;
  const hasOpenKey = process.platform !== 'win32' && (statOf(keyFile) & 0o077) !== 0;
  if (hasOpenKey) throw new ConfigError(keyFile, ['others can read it: chmod 600']);
  const asksClients = clientCaFile !== undefined;
  const options: ServerOptions = {
    cert: read(certFile),
    key: read(keyFile),
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeTimeoutMs,
    // What is not good is refused by the answer to a request, which says why.
    ...(asksClients ? { ca: read(clientCaFile), requestCert: true, rejectUnauthorized: false } : {}),
  };
  try {
    createSecureContext(options);
    // A file without certificates would be taken as an authority that knows nobody.
    if (asksClients) new X509Certificate(read(clientCaFile));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError('tls', [`${certFile}, ${keyFile}${asksClients ? ` and ${clientCaFile}` : ''} cannot be used: ${reason}`]);
  }
  return { options, mode: asksClients ? clientCertificate : 'off' };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function statOf(file: string): number {
  try {
    return statSync(file).mode;
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): ConfigError {
  return new ConfigError(file, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`]);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
