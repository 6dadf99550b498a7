import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A key that signs: `kid` is `<enterpriseId>#<name>`, or `<platformId>#<name>` for receipts. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** Public Ed25519 key as JWK (RFC 8037) with the algorithm name of RFC 9864. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'Ed25519';
  readonly use: 'sig';
}

const kidForm = /^[A-Za-z0-9._-]{1,64}#[A-Za-z0-9._-]{1,64}$/;

/** Whether a text has the form `<owner>#<name>`. */
export function isKid(text: string): boolean {
  return kidForm.test(text);
}

/** Builds a kid from its owner (enterprise or platform) and a name. Throws when either has other characters than letters, digits, `.`, `_`, `-`. */
export function kidOf(owner: string, name: string): string {
  const kid = `${owner}#${name}`;
  if (!isKid(kid)) throw new Error(`"${kid}" is no key id: letters, digits, ".", "_" and "-", at most 64 on each side of "#"`);
  return kid;
}

/** The enterprise or platform that a key belongs to: what stands before `#`. */
export function ownerOf(kid: string): string {
  return kid.slice(0, Math.max(0, kid.indexOf('#')));
}

/** A new Ed25519 key pair (RFC 8032). */
export function generateKey(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  return generateKeyPairSync('ed25519');
}

/** PKCS #8 PEM of a private key, SPKI PEM of a public key. */
export function pemOf(key: KeyObject): string {
  return key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }).toString();
}

/** A private key from PKCS #8 PEM. Throws when it is none, or no Ed25519 key. */
export function privateKeyOf(pem: string): KeyObject {
  return ed25519(createPrivateKey(pem));
}

/** A public key from SPKI PEM or from JWK as text. Throws when it is none, or no Ed25519 key; refuses a private key. */
export function publicKeyOf(text: string): KeyObject {
  if (text.includes('PRIVATE KEY')) throw new Error('this is a private key; give the public one');
  if (text.trimStart().startsWith('{')) return publicKeyFromJwk(JSON.parse(text));
  return ed25519(createPublicKey(text));
}

/** A public key from a parsed JWK. Throws when it is none, or no Ed25519 key; refuses a private key. */
export function publicKeyFromJwk(jwk: unknown): KeyObject {
  if (typeof jwk !== 'object' || jwk === null) throw new Error('a JWK is an object');
  if ('d' in jwk) throw new Error('this is a private key; give the public one');
  return ed25519(createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }));
}

/** The JWK of a public key, or of the public half of a private one. */
export function jwkOf(kid: string, key: KeyObject): PublicJwk {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (ed25519(key) && typeof x === 'string') return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'Ed25519', use: 'sig' };
  throw new Error('no Ed25519 key');
}

function ed25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`a key of type ${key.asymmetricKeyType} where Ed25519 is needed`);
  return key;
}
