import { HttpProblem } from '@nhip/core/process/http-problem';
import type { PresentedCertificate } from './client-certificate.ts';

/**
 * Who must show a certificate, beside its secret or token:
 * - `off`, `optional`: a client that has certificates;
 * - `required`: whoever comes as a client. One that has none is refused until the operator adds its certificate.
 */
export type CertificateMode = 'off' | 'optional' | 'required';

export interface CertificateRule {
  /** Throws 401 when a certificate is needed of everybody and there is no good one, or when one is shown that is not good. */
  demand(presented: PresentedCertificate): void;
  /** Whether a client with these certificates may come like this. */
  fits(certificates: readonly string[], presented: PresentedCertificate): boolean;
  /** Whether a token or session that was given over this certificate (null: over none) is good like this. */
  fitsBound(certificate: string | null, presented: PresentedCertificate): boolean;
}

export function createCertificateRule(mode: CertificateMode): CertificateRule {
  return {
    demand(presented) {
      if (presented.kind === 'bad') {
        throw new HttpProblem(
          401,
          `The client certificate is not accepted here (${presented.reason}): use one of the platform's authority.`,
        );
      }
      if (mode === 'required' && presented.kind === 'none') {
        throw new HttpProblem(401, 'This server needs a client certificate (mutual TLS): set certFile and keyFile of the recipient.');
      }
    },
    fits(certificates, presented) {
      if (certificates.length === 0) return mode !== 'required';
      return presented.kind === 'good' && certificates.includes(presented.thumbprint);
    },
    fitsBound(certificate, presented) {
      if (certificate === null) return mode !== 'required';
      return presented.kind === 'good' && presented.thumbprint === certificate;
    },
  };
}
