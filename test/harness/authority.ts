import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openssl } from './openssl.ts';

/** A certificate with its key, as files and as PEM texts. */
export interface IssuedCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the DER, hex. */
  readonly thumbprint: string;
}

/** A certificate authority of a test. Needs openssl. */
export interface Authority {
  readonly caFile: string;
  readonly ca: string;
  /** For 127.0.0.1. `days` below 0: it is over already. */
  issue(name: string, use: 'server' | 'client', days?: number): IssuedCertificate;
}

export function makeAuthority(dir: string): Authority {
  mkdirSync(dir, { recursive: true });
  const file = (name: string): string => join(dir, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(dir, 'req', '-x509', ...newKey, '-days', '2', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority');
  return {
    caFile: file('ca.pem'),
    ca: readFileSync(file('ca.pem'), 'utf8'),
    issue(name, use, days = 2) {
      openssl(dir, 'req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const extensions = `subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=${use}Auth\n`;
      writeFileSync(file(`${name}.ext`), extensions);
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days), '-extfile', `${name}.ext`];
      openssl(dir, 'x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`);
      const [certFile, keyFile] = [file(`${name}.pem`), file(`${name}.key`)];
      const cert = readFileSync(certFile, 'utf8');
      const thumbprint = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
      return { certFile, keyFile, cert, key: readFileSync(keyFile, 'utf8'), thumbprint };
    },
  };
}
