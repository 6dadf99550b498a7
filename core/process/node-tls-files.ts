import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from './env.ts';
import { ConfigError, reasonOf } from './errors.ts';
import type { Log } from './log.ts';

/** What a server shows of itself and whom it believes: names of PEM files. */
export interface TlsFiles {
  /** The certificate, followed by those between it and its authority. */
  readonly certFile: string;
  /** Its private key, without a passphrase. */
  readonly keyFile: string;
  /** Authority of the certificates that clients show. */
  readonly clientCaFile?: string | undefined;
}

/** Older versions are broken (RFC 8996). */
const minVersion = 'TLSv1.2';
/** Files are looked at this often, and taken when they have not changed for one look: certificate and key are two files. */
const lookEveryMs = 5000;

/**
 * Reads and checks them. `setting` is their place in the configuration, e.g. `broker.tls`. Throws ConfigError that names each file
 * which cannot be used.
 */
export function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles, setting: string): SecureContextOptions {
  const problems: string[] = [];
  const take = <Made>(key: string, file: string, what: string, make: (pem: Buffer) => Made): { pem: Buffer; made: Made } | undefined => {
    let pem: Buffer;
    try {
      pem = readFileSync(file);
    } catch (error) {
      problems.push(`${setting}.${key}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? reasonOf(error)})`);
      return undefined;
    }
    try {
      return { pem, made: make(pem) };
    } catch {
      problems.push(`${setting}.${key}: ${file} is no ${what} in PEM`);
      return undefined;
    }
  };
  const certificate = (pem: Buffer): X509Certificate => new X509Certificate(pem);
  const cert = take('certFile', certFile, 'certificate', certificate);
  const key = take('keyFile', keyFile, 'private key without a passphrase', (pem): KeyObject => createPrivateKey(pem));
  // A file without certificates would be taken as an authority that knows nobody.
  const ca = clientCaFile === undefined ? undefined : take('clientCaFile', clientCaFile, 'certificate', certificate);
  if (cert !== undefined && key !== undefined && !cert.made.checkPrivateKey(key.made)) {
    problems.push(`${setting}.keyFile: ${keyFile} is not the key of ${certFile}`);
  }
  if (cert === undefined || key === undefined || problems.length > 0) throw new ConfigError('TLS', problems);
  const options = { cert: cert.pem, key: key.pem, ...(ca === undefined ? {} : { ca: ca.pem }), minVersion } as const;
  try {
    createSecureContext(options);
  } catch (error) {
    throw new ConfigError('TLS', [`${setting}: ${certFile} and ${keyFile} cannot be used: ${reasonOf(error)}`]);
  }
  return options;
}

export interface TlsFollower {
  /** Resolves when nothing is looked at any more. */
  stop(): Promise<void>;
}

/**
 * Gives `server` the files anew whenever they have changed, as a renewed certificate does; connections stay. Files that cannot be used
 * leave it as it is, and the log says why.
 */
export function followTlsFiles(
  files: TlsFiles,
  setting: string,
  server: { setSecureContext(options: SecureContextOptions): void },
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): TlsFollower {
  const stopping = new AbortController();
  let [taken, before] = [stateOf(files), stateOf(files)];

  function look(): void {
    const now = stateOf(files);
    const isStill = now === before;
    before = now;
    if (!isStill || now === taken) return;
    taken = now;
    try {
      server.setSecureContext(readTlsFiles(files, setting));
      log.info({ certFile: files.certFile }, 'New certificate taken');
    } catch (error) {
      log.error({ reason: reasonOf(error) }, 'The new certificate cannot be used, the one before stays');
    }
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(lookEveryMs, stopping.signal).catch(() => undefined);
      if (!stopping.signal.aborted) look();
    }
  }

  const following = follow();
  return {
    stop() {
      stopping.abort();
      return following;
    },
  };
}

/** Changes when one of the files is written, replaced, or reached by another link. */
function stateOf({ certFile, keyFile, clientCaFile }: TlsFiles): string {
  return [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])]
    .map((file) => {
      const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? '' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`;
    })
    .join(' ');
}
