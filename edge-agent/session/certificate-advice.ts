const unknownAuthority = 'give the authority that signed the broker’s certificate as mqtt.caFile';

/** Codes of OpenSSL and Node for a broker's certificate that is not believed. */
const adviceByCode: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'renew the broker’s certificate, or set the clock of this computer',
  CERT_NOT_YET_VALID: 'set the clock of this computer',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use a name or an address in mqtt.url that the broker’s certificate is for',
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
};

/** What to do when a broker's certificate is refused with `code`; undefined when it is not about a certificate. */
export function certificateAdvice(code: string): string | undefined {
  return adviceByCode[code];
}
