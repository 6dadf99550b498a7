import { join } from 'node:path';
import { RetryableError } from '@nhip/core/process/errors';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import {
  LogLevel,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  setLogLevel,
  type UserIdentityInfo,
  UserTokenType,
} from 'node-opcua-client';
import type { OpcuaConfig } from './config.ts';

const requestTimeoutMs = 10_000;
const sessionTimeoutMs = 60_000;
/** Part of the certificate: must not change with the host's name, or every server has to trust the agent anew. */
const applicationUri = 'urn:nhip:edge-agent';

/**
 * A client that makes one connection and never repairs it. node-opcua's own reconnection re-creates monitored items by namespace index
 * without looking whether the server still numbers its namespaces the same way.
 */
export function createClient(config: OpcuaConfig, stateDir: string): OPCUAClient {
  // It prints to the console on its own, among other things a line for every notification that has no item object.
  setLogLevel(LogLevel.Emergency);
  return OPCUAClient.create({
    applicationName: 'Nhip edge agent',
    applicationUri,
    clientName: `nhip ${config.id}`,
    securityMode: MessageSecurityMode[config.securityMode],
    securityPolicy: config.securityMode === 'None' ? SecurityPolicy.None : SecurityPolicy[config.securityPolicy ?? 'Basic256Sha256'],
    // PLCs advertise host names that nobody can resolve.
    endpointMustExist: false,
    connectionStrategy: { maxRetry: 0, initialDelay: 500, maxDelay: 1_000 },
    requestedSessionTimeout: sessionTimeoutMs,
    defaultTransactionTimeout: requestTimeoutMs,
    transportTimeout: requestTimeoutMs,
    // A session is closed by the driver while the server listens; waiting for a dead server would delay the next attempt.
    keepPendingSessionsOnDisconnect: true,
    // The library wants a key of its own even when security is off.
    clientCertificateManager: new OPCUACertificateManager({
      rootFolder: pkiFolder(stateDir),
      automaticallyAcceptUnknownCertificate: false,
      disableFileWatchers: true,
    }),
  });
}

export function userOf(config: OpcuaConfig): UserIdentityInfo {
  const { username, password } = config;
  if (username === undefined || password === undefined) return { type: UserTokenType.Anonymous };
  return { type: UserTokenType.UserName, userName: username, password };
}

/** A connection error with what to do about it, and without the library's error, which carries whole requests and passwords. */
export function connectError(error: unknown, config: OpcuaConfig, stateDir: string): RetryableError {
  const text = error instanceof Error ? firstLine(error.message) : String(error);
  const hint = /Untrusted|BadCertificate|certificate/i.test(text)
    ? `; to trust the server, move its certificate from ${join(pkiFolder(stateDir), 'rejected')} to ${join(pkiFolder(stateDir), 'trusted', 'certs')}`
    : '';
  return new RetryableError('opcua.connect', `${config.endpoint}: ${text}${hint}`);
}

function pkiFolder(stateDir: string): string {
  return join(stateDir, 'opcua-pki');
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 300);
}
