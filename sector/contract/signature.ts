import { type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson } from './canonical.ts';
import { isKid, type SigningKey } from './keys.ts';
import type { ProductionReport, SignatureBlock, UnsignedReport } from './report.ts';

/**
 * Detached JWS over canonical JSON (RFC 7515 with RFC 7797, `b64: false`; Ed25519 by the name of RFC 9864).
 *
 * Signed bytes: ASCII(BASE64URL(protected header)) "." canonical bytes. The header has exactly `alg`, `b64`, `crit` and `kid`; a member
 * more is refused, because an unknown member could change what is signed. Ed25519 signatures are deterministic: signing again gives the
 * same report, byte for byte.
 */

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Signs any value. Throws when the key is no Ed25519 key, the kid has a wrong form, or the value has no canonical form. */
export function signDetached(value: unknown, key: SigningKey): SignatureBlock {
  if (!isKid(key.kid)) throw new Error(`"${key.kid}" is no key id of the form owner#name`);
  if (key.privateKey.asymmetricKeyType !== 'ed25519') throw new Error('reports and receipts are signed with Ed25519 keys only');
  const header = Buffer.from(canonicalJson({ alg: 'Ed25519', b64: false, crit: ['b64'], kid: key.kid })).toString('base64url');
  return {
    kid: key.kid,
    alg: 'Ed25519',
    protected: header,
    signature: sign(null, signingInput(header, value), key.privateKey).toString('base64url'),
  };
}

/** Whether a block is the signature of a value by the holder of a key. Never throws. `reason` is one English sentence for logs. */
export function verifyDetached(value: unknown, block: SignatureBlock, publicKey: KeyObject): Verdict {
  const problem = headerProblem(block);
  if (problem !== undefined) return { ok: false, reason: problem };
  if (publicKey.asymmetricKeyType !== 'ed25519') return { ok: false, reason: 'the given key is no Ed25519 key' };
  const bytes = Buffer.from(String(block.signature), 'base64url');
  // The decoder forgives; two texts must not stand for one signature.
  if (bytes.length !== 64 || bytes.toString('base64url') !== block.signature)
    return { ok: false, reason: 'no Ed25519 signature of 64 bytes' };
  try {
    const isGood = verify(null, signingInput(block.protected, value), publicKey, bytes);
    return isGood ? { ok: true } : { ok: false, reason: 'the signature is not that of these bytes by this key' };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Signs a report: the same content and key give the same bytes. Throws as signDetached. */
export function signReport(unsigned: UnsignedReport, key: SigningKey): ProductionReport {
  return { ...withoutSignature(unsigned), signature: signDetached(withoutSignature(unsigned), key) } as ProductionReport;
}

/** Whether a report carries the signature of the holder of a key. Says nothing about schema, codes or whose key it is: see checkReport. */
export function verifyReport(report: ProductionReport, publicKey: KeyObject): Verdict {
  if (typeof report.signature !== 'object' || report.signature === null) return { ok: false, reason: 'the report is not signed' };
  return verifyDetached(withoutSignature(report), report.signature, publicKey);
}

/** What a signature covers: everything but itself. */
export function withoutSignature<Value extends object>(value: Value): Omit<Value, 'signature'> {
  const { signature: _, ...rest } = value as Value & { readonly signature?: unknown };
  return rest as Omit<Value, 'signature'>;
}

function signingInput(header: string, value: unknown): Buffer {
  return Buffer.from(`${header}.${canonicalJson(value)}`, 'utf8');
}

function headerProblem(block: SignatureBlock): string | undefined {
  // What is verified may come from anywhere: its type is a claim.
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(String(block.protected), 'base64url').toString('utf8'));
    const expected = { alg: 'Ed25519', b64: false, crit: ['b64'], kid: block.kid };
    if (block.alg === 'Ed25519' && canonicalJson(header) === canonicalJson(expected)) return undefined;
  } catch {
    return 'the protected header is no JSON';
  }
  return 'the protected header must have exactly alg Ed25519, b64 false, crit ["b64"] and the kid of the block';
}
