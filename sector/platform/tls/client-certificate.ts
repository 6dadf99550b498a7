import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What the other end of a connection showed of itself. */
export type PresentedCertificate =
  | { readonly kind: 'none' }
  /** Not of our authority, expired, or not for clients. */
  | { readonly kind: 'bad'; readonly reason: string }
  | {
      readonly kind: 'good';
      /** SHA-256 of the certificate's DER, as hex: `x5t#S256` of RFC 8705 in another alphabet. */
      readonly thumbprint: string;
    };

export const noCertificate: PresentedCertificate = { kind: 'none' };

/** The client certificate of a connection; the server lets every one through the handshake, so that the answer can say what is wrong. */
export function presentedCertificate(socket: Socket): PresentedCertificate {
  if (!(socket instanceof TLSSocket)) return noCertificate;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return noCertificate;
  // A server that has no authority for clients asks for no certificate: `authorized` is only ever true for one that was verified.
  if (!socket.authorized) return { kind: 'bad', reason: String(socket.authorizationError ?? 'not verified').slice(0, 100) };
  return { kind: 'good', thumbprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase() };
}
