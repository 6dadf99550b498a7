/** Whether the text has the digest `sha-256:<hex>`; null: it cannot be told here (no secure context, so no Web Crypto). */
export async function hasDigest(text: string, digest: string): Promise<boolean | null> {
  if (globalThis.crypto?.subtle === undefined) return null;
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const hex = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return digest === `sha-256:${hex}`;
}
