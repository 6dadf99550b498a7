import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RetryableError } from '@nhip/core/process/errors';
import { type EndpointDescription, MessageSecurityMode, type OPCUAClient, SecurityPolicy, UserTokenType } from 'node-opcua-client';
import { connectError, createClient } from './client.ts';
import { opcuaConfig } from './config.ts';
import { type Certificate, describeCertificate } from './trust.ts';

/** What a server says of itself to anybody. */
export interface EndpointScan {
  readonly url: string;
  readonly serverName: string | null;
  readonly applicationUri: string | null;
  readonly productUri: string | null;
  /** Null when the server shows none, or one that cannot be read. */
  readonly certificate: Certificate | null;
  /** Safest first. */
  readonly endpoints: readonly ScannedEndpoint[];
  /** Null when the server opens no anonymous session without security. */
  readonly namespaces: readonly string[] | null;
}

export interface ScannedEndpoint {
  /** As the server says; often with a host name that only it knows. */
  readonly url: string;
  readonly securityMode: 'None' | 'Sign' | 'SignAndEncrypt';
  /** E.g. Basic256Sha256; the URI of a policy that is not known here. */
  readonly securityPolicy: string;
  /** The server's own ranking, 0–255. */
  readonly securityLevel: number;
  /** Anonymous, UserName, Certificate, IssuedToken */
  readonly userTokens: readonly string[];
  /** A connection of this agent can use it. */
  readonly isSupported: boolean;
}

const defaultTimeoutMs = 10_000;
const maxEndpoints = 100;
const maxNamespaces = 1_000;

/**
 * Asks a server for its endpoints and, where it lets anybody in, for its namespaces. Nothing is trusted and nothing is kept.
 * Throws RetryableError when nobody answers at `url` (`opc.tcp://host:port`) within the time.
 */
export async function scanEndpoint(url: string, options: { readonly timeoutMs?: number } = {}): Promise<EndpointScan> {
  const stateDir = await mkdtemp(join(tmpdir(), 'nhip-opcua-scan-'));
  let client: OPCUAClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  const scan = async (): Promise<EndpointScan> => {
    client = await createClient({ id: 'scan', securityMode: 'None', securityPolicy: undefined }, stateDir);
    await client.connect(url);
    const endpoints = (await client.getEndpoints({ endpointUrl: url })).slice(0, maxEndpoints);
    const [first] = endpoints;
    const { server } = first ?? {};
    return {
      url,
      serverName: server?.applicationName.text ?? null,
      applicationUri: server?.applicationUri ?? null,
      productUri: server?.productUri ?? null,
      certificate: certificateOf(endpoints),
      endpoints: endpoints.map(describe).sort(saferFirst),
      namespaces: await readNamespaces(client),
    };
  };
  try {
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new RetryableError('opcua.connect', `${url}: no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    return await Promise.race([scan(), late]);
  } catch (error) {
    throw await connectError(error, { endpoint: url }, stateDir);
  } finally {
    clearTimeout(timer);
    await client?.disconnect().catch(() => undefined);
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function readNamespaces(client: OPCUAClient): Promise<readonly string[] | null> {
  try {
    const session = await client.createSession();
    try {
      return (await session.readNamespaceArray()).slice(0, maxNamespaces);
    } finally {
      await session.close();
    }
  } catch {
    return null;
  }
}

function certificateOf(endpoints: readonly EndpointDescription[]): Certificate | null {
  const bytes = endpoints.find(({ serverCertificate }) => (serverCertificate?.length ?? 0) > 0)?.serverCertificate;
  try {
    return bytes === undefined ? null : describeCertificate(bytes);
  } catch {
    return null;
  }
}

const policies: readonly string[] = ['None', ...opcuaConfig.shape.securityPolicy.unwrap().options];

function describe(endpoint: EndpointDescription): ScannedEndpoint {
  const { securityMode, securityPolicyUri, userIdentityTokens } = endpoint;
  const mode = securityMode === MessageSecurityMode.None || securityMode === MessageSecurityMode.Sign ? securityMode : undefined;
  const policy = Object.entries(SecurityPolicy).find(([, uri]) => uri === securityPolicyUri)?.[0];
  return {
    url: endpoint.endpointUrl ?? '',
    securityMode: mode === undefined ? 'SignAndEncrypt' : mode === MessageSecurityMode.None ? 'None' : 'Sign',
    securityPolicy: policy ?? securityPolicyUri ?? '',
    securityLevel: endpoint.securityLevel,
    userTokens: [...new Set((userIdentityTokens ?? []).map(({ tokenType }) => UserTokenType[tokenType] ?? String(tokenType)))],
    isSupported: securityMode !== MessageSecurityMode.Invalid && policies.includes(policy ?? ''),
  };
}

const modes: readonly string[] = ['SignAndEncrypt', 'Sign', 'None'];

function saferFirst(a: ScannedEndpoint, b: ScannedEndpoint): number {
  return modes.indexOf(a.securityMode) - modes.indexOf(b.securityMode) || b.securityLevel - a.securityLevel;
}
