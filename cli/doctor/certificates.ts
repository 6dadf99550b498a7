import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeOf, durationText, type Finding, note, ok, wrong } from './finding.ts';

export interface CertificateFile {
  /** Name in the configuration. */
  readonly setting: string;
  readonly file: string;
  /** Its private key, for a certificate that this computer shows to others. */
  readonly key?: { readonly setting: string; readonly file: string } | undefined;
}

const soonMs = 30 * 86_400_000;

/** Reads certificate files as they stand in a configuration. The content of keys is never told. */
export function certificateFindings({ setting, file, key }: CertificateFile, nowMs: number): readonly Finding[] {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(file));
  } catch (error) {
    return [
      wrong(
        'certificates',
        `${setting}: ${file} is no certificate that can be read (${codeOf(error)}).`,
        'Give a PEM file that this user may read.',
      ),
    ];
  }
  const findings: Finding[] = [];
  const fromMs = Date.parse(certificate.validFrom);
  const toMs = Date.parse(certificate.validTo);
  const until = new Date(toMs).toISOString().slice(0, 10);
  const renew =
    key === undefined ? 'Put a new one there and restart the agent.' : 'Renew it in its place: a running server takes it within seconds.';
  if (nowMs < fromMs) {
    const says = `${setting}: ${file} is valid only from ${new Date(fromMs).toISOString()} on.`;
    findings.push(wrong('certificates', says, 'Check the clock of this computer first.'));
  } else if (nowMs > toMs) findings.push(wrong('certificates', `${setting}: ${file} expired on ${until}.`, renew));
  else if (nowMs > toMs - soonMs) {
    findings.push(note('certificates', `${setting}: ${file} expires in ${durationText(toMs - nowMs)}, on ${until}.`, renew));
  } else {
    const names = certificate.subjectAltName ?? certificate.subject.replaceAll('\n', ', ');
    findings.push(ok('certificates', `${setting}: ${file} is valid until ${until}, for ${names}.`));
  }
  if (key !== undefined) findings.push(...keyFindings(certificate, setting, key));
  return findings;
}

function keyFindings(
  certificate: X509Certificate,
  setting: string,
  key: { readonly setting: string; readonly file: string },
): readonly Finding[] {
  try {
    if (certificate.checkPrivateKey(createPrivateKey(readFileSync(key.file)))) return [];
    return [
      wrong(
        'certificates',
        `${key.setting}: ${key.file} is not the key of ${setting}.`,
        'Give the key that the certificate was made with.',
      ),
    ];
  } catch (error) {
    return [
      wrong(
        'certificates',
        `${key.setting}: ${key.file} is no private key that can be read (${codeOf(error)}).`,
        'Give a PEM file without a passphrase.',
      ),
    ];
  }
}
