import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Authority, type IssuedCertificate, makeAuthority } from '../../test/harness/authority.ts';
import { ConfigError } from './errors.ts';
import { readTlsFiles, type TlsFiles } from './node-tls-files.ts';

let folder: string;
let authority: Authority;
let own: IssuedCertificate;
let rubbish: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-tls-'));
  authority = makeAuthority(folder);
  own = authority.issue('own', 'server');
  rubbish = join(folder, 'rubbish.pem');
  writeFileSync(rubbish, 'x');
});
afterAll(() => rmSync(folder, { recursive: true }));

function problemsOf(files: TlsFiles): readonly string[] {
  try {
    readTlsFiles(files, 'broker.tls');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

it('reads a certificate, its key and the authority of clients', () => {
  const { certFile, keyFile } = own;
  expect(readTlsFiles({ certFile, keyFile, clientCaFile: authority.caFile }, 'tls')).toEqual({
    cert: Buffer.from(own.cert),
    key: Buffer.from(own.key),
    ca: Buffer.from(authority.ca),
    minVersion: 'TLSv1.2',
  });
});

it('names every file that cannot be used, and the setting that names it', () => {
  const none = join(folder, 'none.pem');
  expect(problemsOf({ certFile: none, keyFile: rubbish, clientCaFile: rubbish })).toEqual([
    `broker.tls.certFile: ${none} cannot be read (ENOENT)`,
    `broker.tls.keyFile: ${rubbish} is no private key without a passphrase in PEM`,
    `broker.tls.clientCaFile: ${rubbish} is no certificate in PEM`,
  ]);
  const { keyFile } = authority.issue('other', 'server');
  expect(problemsOf({ certFile: own.certFile, keyFile })).toEqual([`broker.tls.keyFile: ${keyFile} is not the key of ${own.certFile}`]);
  expect(problemsOf({ certFile: own.certFile, keyFile: folder })).toEqual([`broker.tls.keyFile: ${folder} cannot be read (EISDIR)`]);
});
