import { readFile } from 'node:fs/promises';
import { RetryableError } from '@nhip/core/process/errors';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import {
  LogLevel,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  type StatusCode,
  setLogLevel,
  type UserIdentityInfo,
  UserTokenType,
} from 'node-opcua-client';
import type { OpcuaConfig } from './config.ts';
import { faultOf } from './limits.ts';
import { describeCertificate, listCertificates, ownCertificate, preparePkiFolder, rememberEndpoint } from './trust.ts';

const requestTimeoutMs = 10_000;
const sessionTimeoutMs = 60_000;
/** Part of the certificate: must not change with the host's name, or every server has to trust the agent anew. */
const applicationUri = 'urn:nhip:edge-agent';

type ClientConfig = Pick<OpcuaConfig, 'id' | 'securityMode' | 'securityPolicy'> & { readonly endpoint?: string | undefined };

/**
 * A client that makes one connection and never repairs it. node-opcua's own reconnection re-creates monitored items by namespace index
 * without looking whether the server still numbers its namespaces the same way. Each client reads the trusted certificates anew.
 */
export async function createClient(config: ClientConfig, stateDir: string): Promise<OPCUAClient> {
  // It prints to the console on its own, among other things a line for every notification that has no item object.
  setLogLevel(LogLevel.Emergency);
  const clientCertificateManager = new OPCUACertificateManager({
    rootFolder: await preparePkiFolder(stateDir),
    automaticallyAcceptUnknownCertificate: false,
    disableFileWatchers: true,
  });
  if (config.endpoint !== undefined) noteWhereShown(clientCertificateManager, stateDir, config.endpoint);
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
    clientCertificateManager,
  });
}

/** A person who decides wants to know where a certificate was shown; the library keeps only the certificate. */
function noteWhereShown(manager: OPCUACertificateManager, stateDir: string, endpoint: string): void {
  const check: (...args: never[]) => Promise<StatusCode> = manager.checkCertificate.bind(manager);
  const noting = (chain: Uint8Array | readonly Uint8Array[], ...rest: never[]): Promise<StatusCode> => {
    const certificate = chain instanceof Uint8Array ? chain : chain[0];
    // The list is as good without it: it has the name in the certificate.
    if (certificate !== undefined) void rememberEndpoint(stateDir, certificate, endpoint).catch(() => undefined);
    return check(chain as never, ...rest);
  };
  manager.checkCertificate = noting as typeof manager.checkCertificate;
}

/** Who the session is for; reads the files that the config names. Throws RetryableError when one of them cannot be used. */
export async function userOf(config: OpcuaConfig): Promise<UserIdentityInfo> {
  const { username, userCertificateFile, userKeyFile } = config;
  if (userCertificateFile !== undefined && userKeyFile !== undefined) {
    const certificate = await readSecret(config, 'userCertificateFile', userCertificateFile);
    const privateKey = (await readSecret(config, 'userKeyFile', userKeyFile)).toString('utf8');
    return { type: UserTokenType.Certificate, certificateData: derOf(config, certificate), privateKey };
  }
  if (username === undefined) return { type: UserTokenType.Anonymous };
  return { type: UserTokenType.UserName, userName: username, password: await passwordOf(config) };
}

async function passwordOf(config: OpcuaConfig): Promise<string> {
  if (config.passwordFile === undefined) return config.password ?? '';
  const bytes = await readSecret(config, 'passwordFile', config.passwordFile);
  const first = bytes.toString('utf8').split('\n')[0]?.replace(/\r$/, '') ?? '';
  if (first === '')
    throw new RetryableError('opcua.user', `${config.endpoint}: the first line of passwordFile ${config.passwordFile} is empty`);
  return first;
}

async function readSecret(config: OpcuaConfig, field: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new RetryableError('opcua.user', `${config.endpoint}: ${field} ${file} cannot be read (${reason})`);
  }
}

function derOf(config: OpcuaConfig, bytes: Buffer): Buffer {
  const pem = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/.exec(bytes.toString('latin1'))?.[1];
  const der = pem === undefined ? bytes : Buffer.from(pem, 'base64');
  try {
    describeCertificate(der);
  } catch {
    throw new RetryableError('opcua.user', `${config.endpoint}: userCertificateFile ${config.userCertificateFile} is no certificate`);
  }
  return der;
}

interface Connecting {
  readonly endpoint: string;
  readonly securityMode?: OpcuaConfig['securityMode'];
}

/** A connection error with what to do about it, and without the library's error, which carries whole requests and passwords. */
export async function connectError(error: unknown, config: Connecting, stateDir: string): Promise<RetryableError> {
  if (error instanceof RetryableError) return error;
  const text = faultOf(error) ?? (error instanceof Error ? oneLine(error.message) : String(error));
  if (text.startsWith('Cannot find an Endpoint matching')) {
    const why = 'it offers no endpoint with the securityMode and securityPolicy of this connection';
    return new RetryableError('opcua.connect', `${config.endpoint}: ${why}; \`nhip edge scan ${config.endpoint}\` lists what it offers`);
  }
  const login = /^Cannot find (ANONYMOUS|USERNAME|CERTIFICATE) user token/.exec(text)?.[1];
  if (login !== undefined) return new RetryableError('opcua.connect', `${config.endpoint}: ${loginProblems[login]}`);
  return new RetryableError('opcua.connect', `${config.endpoint}: ${text}${await hintOf(text, config, stateDir)}`);
}

const loginProblems: Readonly<Record<string, string>> = {
  ANONYMOUS: 'it lets nobody in without a login; give the connection a username and a passwordFile',
  USERNAME: 'it takes no user name and password with this securityMode',
  CERTIFICATE: 'it takes no user certificate with this securityMode',
};

const userRefusals: ReadonlySet<string> = new Set(['BadUserAccessDenied', 'BadIdentityTokenRejected', 'BadIdentityTokenInvalid']);

/** What to do about it. Servers tell a client that they do not trust with a fault, with an error of the transport, or by hanging up. */
async function hintOf(text: string, { endpoint, securityMode }: Connecting, stateDir: string): Promise<string> {
  const isOurs = text.startsWith('server Certificate verification failed');
  const status = /\bBad[A-Z]\w+/.exec(text)?.[0] ?? '';
  if (userRefusals.has(status)) return '; the server does not let this user in: look at the name, the password and the rights there';
  const isRefused = status.startsWith('BadCertificate') || status === 'BadSecurityChecksFailed';
  const isHungUp = text.startsWith('The connection may have been rejected') && securityMode !== undefined && securityMode !== 'None';
  if (isOurs || !(isRefused || isHungUp)) return certificateHint(text, endpoint, stateDir);
  const own = await ownCertificate(stateDir).catch(() => undefined);
  const which = own === undefined ? '' : ` (${own.file}, SHA-256 ${own.thumbprintSha256})`;
  return isRefused
    ? `; the server does not accept the agent's certificate${which}: trust it there`
    : `; perhaps the server does not trust the agent's certificate${which} yet`;
}

async function certificateHint(text: string, endpoint: string, stateDir: string): Promise<string> {
  if (/TimeInvalid/i.test(text))
    return "; the server's certificate has expired or is not valid yet: give it a new one, or set its or this clock right";
  if (!/Untrusted|BadCertificate|certificate/i.test(text)) return '';
  const seen = await listCertificates(stateDir).catch(() => []);
  // Several servers may wait: the fingerprint of another one would be compared in vain, or trusted in its place.
  const here = seen.filter((certificate) => certificate.endpoint === endpoint);
  const waiting = (here.length > 0 ? here : seen).filter(({ state }) => state === 'waiting');
  const newest = waiting.sort((a, b) => b.sinceMs - a.sinceMs)[0];
  if (newest === undefined) return "; the server's certificate was rejected here, or the server does not trust the agent's";
  const { thumbprintSha256, subject } = newest;
  return `; a server certificate waits for a decision: ${subject}, SHA-256 ${thumbprintSha256}. Compare it with the server's, then trust it with \`nhip edge trust add\`; the next attempt succeeds`;
}

function oneLine(text: string): string {
  return text
    .split('\n', 2)
    .map((line) => line.trim())
    .join(' ')
    .slice(0, 300);
}
