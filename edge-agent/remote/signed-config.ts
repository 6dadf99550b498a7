import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ConfigError } from '@nhip/core/process/errors';
import { maxSignedConfigLength, type SignedConfig, signedBytes } from '@nhip/core/wire/edge-control';
import { z } from 'zod';

/** The file that `nhip edge config sign` writes, and what comes as a push. */
export const signedConfig = z.strictObject({
  edge: z.string().min(3).max(129),
  version: z.int().min(1),
  // As bytes every half of a character is U+FFFD: the signature would hold for another text than the one that was signed.
  config: z
    .string()
    .min(1)
    .max(maxSignedConfigLength)
    .refine((text) => !/\p{Surrogate}/u.test(text), 'has half a character'),
  signature: z.string().min(1).max(200),
}) satisfies z.ZodType<SignedConfig>;

/** Reads JSON text. Throws ConfigError, which names `source`, when it is no signed configuration. */
export function readSignedConfig(json: string, source: string): SignedConfig {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ConfigError(source, ['is no JSON: `nhip edge config sign` writes such a file']);
  }
  const parsed = signedConfig.safeParse(value, { reportInput: false });
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    source,
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`),
  );
}

/** Signs for one edge, `<group>/<edge>`. */
export function signConfig(unsigned: Omit<SignedConfig, 'signature'>, key: KeyObject): SignedConfig {
  return { ...unsigned, signature: sign(null, signedBytes(unsigned), key).toString('base64') };
}

export function isSignedBy(config: SignedConfig, key: KeyObject): boolean {
  return verify(null, signedBytes(config), key, Buffer.from(config.signature, 'base64'));
}

/** An Ed25519 key from PEM. Throws ConfigError, which names `source` and nothing of the key. */
export function readKey(pem: string, kind: 'public' | 'private', source: string): KeyObject {
  const problem = `${source} is no ${kind} Ed25519 key in PEM: \`nhip edge config keygen\` makes a pair`;
  let key: KeyObject;
  try {
    // A private key would be taken for its public one: it has no business on a gateway.
    if (kind === 'public' && !pem.includes('-----BEGIN PUBLIC KEY-----')) throw new ConfigError(source, [problem]);
    key = kind === 'public' ? createPublicKey(pem) : createPrivateKey(pem);
  } catch {
    throw new ConfigError(source, [problem]);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new ConfigError(source, [problem]);
  return key;
}
