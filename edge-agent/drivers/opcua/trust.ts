import { createHash, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';

/**
 * Which servers are trusted: certificates as files in a PKI folder, as the library lays it out.
 *
 * - `trusted/certs`: the agent connects.
 * - `rejected`: it does not. The library puts every certificate here that it has not seen before; it waits for a decision. One that a
 *   person refused has a name that begins with `refused-`.
 * - `own`: the agent's own key and certificate.
 * - `met`: for each certificate, by its SHA-256, the endpoint at which it was last shown.
 *
 * A decision moves a file; the agent looks at the folders at every connection attempt.
 */

/** `waiting`: seen at a connection attempt, nobody has decided yet. */
export type TrustState = 'trusted' | 'waiting' | 'rejected';

export interface Certificate {
  /** SHA-1 of the certificate, 40 hex digits: what most OPC UA software calls the thumbprint. */
  readonly thumbprint: string;
  /** SHA-256, 64 hex digits: compare this one. */
  readonly thumbprintSha256: string;
  readonly subject: string;
  readonly issuer: string;
  /** From the certificate: what the server says it is. */
  readonly applicationUri: string | null;
  readonly validFromMs: number;
  readonly validToMs: number;
}

export interface ServerCertificate extends Certificate {
  readonly state: TrustState;
  /** When it came into its folder. */
  readonly sinceMs: number;
  /** Where it was last shown; null for one that somebody put there. */
  readonly endpoint: string | null;
}

export interface OwnCertificate extends Certificate {
  /** The file to give to the server. */
  readonly file: string;
}

const refusedPrefix = 'refused-';
const maxFileBytes = 100_000;
const maxFiles = 10_000;
/** A server may show another certificate at every attempt. */
const maxMet = 1000;
const shortestPrefix = 8;

export function pkiFolder(stateDir: string): string {
  return join(stateDir, 'opcua-pki');
}

/** Makes the folder with the agent's key private; does the same for one that an earlier version made. */
export async function preparePkiFolder(stateDir: string): Promise<string> {
  const folder = pkiFolder(stateDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await mkdir(join(folder, 'own', 'private'), { recursive: true, mode: 0o700 });
  await chmod(join(folder, 'own', 'private'), 0o700);
  return folder;
}

/** The certificates of all servers that were seen or trusted; those that wait first, then by subject. */
export async function listCertificates(stateDir: string): Promise<readonly ServerCertificate[]> {
  const found = await findCertificates(stateDir);
  const order: readonly TrustState[] = ['waiting', 'trusted', 'rejected'];
  return found
    .map(({ certificate }) => certificate)
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.subject.localeCompare(b.subject));
}

/**
 * Trusts a server certificate that was seen. `thumbprint` is SHA-1 or SHA-256, of any case, with or without colons, or the beginning
 * of one (8 digits or more). Throws ConfigError when no certificate, or more than one, has it.
 */
export function trust(stateDir: string, thumbprint: string): Promise<ServerCertificate> {
  return decide(stateDir, thumbprint, 'trusted');
}

/** Refuses a server certificate, also one that was trusted: the next connection attempt fails. Errors as `trust`. */
export function reject(stateDir: string, thumbprint: string): Promise<ServerCertificate> {
  return decide(stateDir, thumbprint, 'rejected');
}

/** Keeps where a certificate (DER, or a chain that begins with it) was shown; written once. Rejects when it cannot be kept. */
export async function rememberEndpoint(stateDir: string, certificate: Uint8Array, endpoint: string): Promise<void> {
  const folder = metFolder(stateDir);
  const file = join(folder, describeCertificate(certificate).thumbprintSha256);
  if ((await readText(file)) === endpoint || (await names(folder)).length >= maxMet) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(file, endpoint);
}

/** What the servers have to trust; undefined before the first connection with this driver. */
export async function ownCertificate(stateDir: string): Promise<OwnCertificate | undefined> {
  const folder = join(pkiFolder(stateDir), 'own', 'certs');
  for (const name of await names(folder)) {
    const certificate = await readCertificate(join(folder, name));
    if (certificate !== undefined) return { ...certificate, file: join(folder, name) };
  }
  return undefined;
}

/** Facts of a certificate in DER or PEM; of the first one when there are several. Throws when it is none. */
export function describeCertificate(bytes: Uint8Array): Certificate {
  const x509 = new X509Certificate(bytes);
  const hash = (algorithm: string): string => createHash(algorithm).update(x509.raw).digest('hex');
  return {
    thumbprint: hash('sha1'),
    thumbprintSha256: hash('sha256'),
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    applicationUri: legibleOrNull(/URI:([^,\s]+)/.exec(x509.subjectAltName ?? '')?.[1]),
    validFromMs: Date.parse(x509.validFrom),
    validToMs: Date.parse(x509.validTo),
  };
}

interface Found {
  readonly certificate: ServerCertificate;
  readonly folder: string;
  readonly name: string;
}

function trustedFolder(stateDir: string): string {
  return join(pkiFolder(stateDir), 'trusted', 'certs');
}

function rejectedFolder(stateDir: string): string {
  return join(pkiFolder(stateDir), 'rejected');
}

function metFolder(stateDir: string): string {
  return join(pkiFolder(stateDir), 'met');
}

async function findCertificates(stateDir: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const folder of [trustedFolder(stateDir), rejectedFolder(stateDir)]) {
    for (const name of (await names(folder)).slice(0, maxFiles)) {
      const certificate = await readCertificate(join(folder, name));
      if (certificate === undefined) continue;
      const isTrusted = folder === trustedFolder(stateDir);
      const state = isTrusted ? 'trusted' : name.startsWith(refusedPrefix) ? 'rejected' : 'waiting';
      const { ctimeMs } = await stat(join(folder, name));
      const endpoint = await readText(join(metFolder(stateDir), certificate.thumbprintSha256));
      found.push({ certificate: { ...certificate, state, sinceMs: Math.round(ctimeMs), endpoint }, folder, name });
    }
  }
  return found;
}

async function decide(stateDir: string, thumbprint: string, state: 'trusted' | 'rejected'): Promise<ServerCertificate> {
  const wanted = thumbprint.replaceAll(/[:\s]/g, '').toLowerCase();
  const refusal = (problem: string): ConfigError => new ConfigError('opcua certificates', [problem]);
  if (!/^[0-9a-f]+$/.test(wanted) || wanted.length < shortestPrefix || wanted.length > 64)
    throw refusal(`"${thumbprint}" is no thumbprint: give at least its first ${shortestPrefix} hex digits`);
  const matching = (await findCertificates(stateDir)).filter(
    ({ certificate }) => certificate.thumbprint.startsWith(wanted) || certificate.thumbprintSha256.startsWith(wanted),
  );
  const different = new Set(matching.map(({ certificate }) => certificate.thumbprintSha256));
  const [first] = matching;
  if (first === undefined)
    throw refusal(`no server has shown a certificate ${thumbprint}; a certificate is listed after a connection attempt`);
  if (different.size > 1) throw refusal(`${different.size} certificates begin with ${thumbprint}: give more digits`);
  const target = state === 'trusted' ? trustedFolder(stateDir) : rejectedFolder(stateDir);
  const file = join(target, state === 'rejected' ? `${refusedPrefix}${bare(first.name)}` : bare(first.name));
  await mkdir(target, { recursive: true, mode: 0o700 });
  // The same certificate may lie in both folders when somebody copied it: one file stays, with this decision.
  for (const { folder, name } of matching) if (join(folder, name) !== file) await rename(join(folder, name), file);
  return { ...first.certificate, state };
}

function bare(name: string): string {
  return name.startsWith(refusedPrefix) ? name.slice(refusedPrefix.length) : name;
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** undefined for what is no certificate. */
async function readCertificate(file: string): Promise<Certificate | undefined> {
  const { size } = await stat(file);
  if (size === 0 || size > maxFileBytes) return undefined;
  try {
    return describeCertificate(await readFile(file));
  } catch {
    return undefined;
  }
}

/** null when there is none. */
async function readText(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).slice(0, 500);
  } catch {
    return null;
  }
}

function oneLine(name: string): string {
  return legible(name.replaceAll(/\s*\n\s*/g, ', ')).slice(0, 500);
}

/** Whoever made the certificate chose its names: a person who decides about it must see them as they are, in their order. */
function legible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}

function legibleOrNull(text: string | undefined): string | null {
  return text === undefined ? null : legible(text);
}
