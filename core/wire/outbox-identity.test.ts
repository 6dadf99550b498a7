import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeIdentity, decodeResend, encodeIdentity, encodeResend, streamFromText } from './outbox-identity.ts';
import { WireError } from './wire-error.ts';

const stream = fc.uint8Array({ minLength: 16, maxLength: 16 });
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the identity of an outbox', () => {
  it('comes back as it was, also from the middle of a message', () => {
    fc.assert(
      fc.property(stream, fc.maxSafeNat(), fc.nat(9), (id, seq, offset) => {
        const bytes = new Uint8Array(offset + 24);
        bytes.set(encodeIdentity(id, seq), offset);
        expect(decodeIdentity(bytes, offset, offset + 24)).toEqual({ stream: hexOf(id), seq });
      }),
    );
  });

  it('is refused when it is cut or its number is above 2^53', () => {
    const bytes = encodeIdentity(new Uint8Array(16), 5);
    expect(() => decodeIdentity(bytes, 0, 23)).toThrow(WireError);
    bytes[23] = 1;
    expect(() => decodeIdentity(bytes, 0, 24)).toThrow(WireError);
  });
});

describe('a request to send again', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(stream, fc.maxSafeNat(), fc.maxSafeNat(), (id, a, b) => {
        fc.pre(a !== b);
        const request = { stream: hexOf(id), from: Math.min(a, b), to: Math.max(a, b) };
        expect(decodeResend(encodeResend(request))).toEqual(request);
      }),
    );
  });

  it('is refused when it is cut, empty or backwards', () => {
    const id = '0'.repeat(32);
    expect(() => decodeResend(encodeResend({ stream: id, from: 3, to: 4 }).subarray(1))).toThrow(WireError);
    expect(() => decodeResend(encodeResend({ stream: id, from: 4, to: 4 }))).toThrow(WireError);
    expect(() => decodeResend(encodeResend({ stream: id, from: 5, to: 4 }))).toThrow(WireError);
    expect(() => streamFromText('0'.repeat(31))).toThrow(WireError);
  });
});
