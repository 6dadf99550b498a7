import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { expect, it } from 'vitest';
import { canonicalJson } from './canonical.ts';
import { digestOf, digestOfBytes, reportBytes } from './digest.ts';
import { generateKey, isKid, jwkOf, kidOf, ownerOf, pemOf, privateKeyOf, publicKeyFromJwk, publicKeyOf } from './keys.ts';
import type { ProductionReport } from './report.ts';
import { signDetached, signReport, verifyDetached, verifyReport } from './signature.ts';
import { exampleKey, exampleReport } from './testing/example-report.ts';

const key = exampleKey();
const report = signReport(exampleReport, key);

it('signs with Ed25519 as RFC 8032 §7.1 test 1 has it', () => {
  const d = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex').toString('base64url');
  const x = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString('base64url');
  const privateKey = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' });
  expect(sign(null, Buffer.alloc(0), privateKey).toString('hex')).toBe(
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  );
  expect(jwkOf('a#b', privateKey)).toEqual({ kty: 'OKP', crv: 'Ed25519', x, kid: 'a#b', alg: 'Ed25519', use: 'sig' });
});

it('signs the header, a dot and the canonical bytes, unencoded (RFC 7797)', () => {
  const block = signDetached({ b: 1, a: 'Hà Nội' }, key);
  expect(JSON.parse(Buffer.from(block.protected, 'base64url').toString())).toEqual({
    alg: 'Ed25519',
    b64: false,
    crit: ['b64'],
    kid: key.kid,
  });
  const input = Buffer.from(`${block.protected}.{"a":"Hà Nội","b":1}`, 'utf8');
  expect(sign(null, input, key.privateKey).toString('base64url')).toBe(block.signature);
});

it('verifies, also after a way through JSON, and signs to the same bytes again', () => {
  expect(verifyReport(report, key.publicKey)).toEqual({ ok: true });
  expect(verifyReport(JSON.parse(JSON.stringify(report, undefined, 2)), key.publicKey)).toEqual({ ok: true });
  expect(reportBytes(signReport(exampleReport, key))).toEqual(reportBytes(report));
  expect(signReport(report, key)).toEqual(report);
});

it('refuses every change of a byte that is JSON still', () => {
  const bytes = reportBytes(report);
  let parsed = 0;
  for (let at = 0; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    let value: unknown;
    try {
      value = JSON.parse(changed.toString('utf8'));
    } catch {
      continue;
    }
    parsed += 1;
    expect(verifyReport(value as ProductionReport, key.publicKey), `byte ${at}`).toMatchObject({ ok: false });
  }
  expect(parsed).toBeGreaterThan(50);
});

it('refuses another key, another kid, another header, another form of the same signature', () => {
  const { signature } = report;
  const with_ = (part: object): ProductionReport => ({ ...report, signature: { ...signature, ...part } });
  const header = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const all = { alg: 'Ed25519', b64: false, crit: ['b64'], kid: key.kid };
  expect(verifyReport(report, generateKey().publicKey)).toMatchObject({ ok: false });
  expect(verifyReport(with_({ kid: '0999999983#k2' }), key.publicKey)).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/header/),
  });
  expect(verifyReport(with_({ alg: 'none' }), key.publicKey)).toMatchObject({ ok: false });
  for (const other of [
    { ...all, alg: 'none' },
    { ...all, b64: true },
    { ...all, crit: [] },
    { ...all, jku: 'http://127.0.0.1' },
  ]) {
    expect(verifyReport(with_({ protected: header(other) }), key.publicKey)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/header/),
    });
  }
  expect(verifyReport(with_({ protected: '%%%' }), key.publicKey)).toMatchObject({ ok: false });
  expect(verifyReport(with_({ signature: `${signature.signature}==` }), key.publicKey)).toMatchObject({ ok: false });
  expect(verifyReport(with_({ signature: '' }), key.publicKey)).toMatchObject({ ok: false });
  expect(verifyReport({ ...report, signature: null } as unknown as ProductionReport, key.publicKey)).toMatchObject({ ok: false });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  expect(verifyReport(report, p256.publicKey)).toMatchObject({ ok: false, reason: expect.stringMatching(/Ed25519/) });
  expect(() => signDetached({}, { kid: key.kid, privateKey: p256.privateKey })).toThrow(/Ed25519/);
  expect(() => signDetached({}, { kid: 'no kid', privateKey: key.privateKey })).toThrow(/key id/);
  expect(verifyDetached({ float: 0.5 }, signature, key.publicKey)).toMatchObject({ ok: false, reason: expect.stringMatching(/text/) });
});

it('digests the bytes that are sent, signature included', () => {
  const bytes = reportBytes(report);
  expect(bytes.toString('utf8')).toBe(canonicalJson(report));
  expect(digestOf(report)).toBe(`sha-256:${createHash('sha256').update(bytes).digest('hex')}`);
  expect(digestOfBytes(bytes)).toBe(digestOf(report));
  expect(digestOf(exampleReport)).not.toBe(digestOf(report));
});

it('keeps a signed factory day within 3 kB', () => {
  expect(reportBytes(report).length).toBeLessThanOrEqual(3000);
});

it('takes keys as PEM and JWK, never a private one for a public one', () => {
  const { privateKey, publicKey } = key;
  expect(publicKeyOf(pemOf(publicKey)).equals(publicKey)).toBe(true);
  expect(publicKeyOf(JSON.stringify(jwkOf(key.kid, publicKey))).equals(publicKey)).toBe(true);
  expect(jwkOf(key.kid, privateKey)).toEqual(jwkOf(key.kid, publicKey));
  expect(createPublicKey(privateKeyOf(pemOf(privateKey))).equals(publicKey)).toBe(true);
  expect(() => publicKeyOf(pemOf(privateKey))).toThrow(/private/);
  expect(() => publicKeyFromJwk(privateKey.export({ format: 'jwk' }))).toThrow(/private/);
  expect(() => publicKeyOf(pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey))).toThrow(/Ed25519/);
  expect(kidOf('0999999983', 'k1')).toBe('0999999983#k1');
  expect(ownerOf('0999999983-001#k1')).toBe('0999999983-001');
  expect(isKid('a#b#c')).toBe(false);
  expect(() => kidOf('0999999983', 'a b')).toThrow(/key id/);
});
