import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireError } from '../wire-error.ts';
import { decodeHostState, encodeHostState } from './host-state.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('STATE of a host', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.maxSafeNat(), (isOnline, timestampMs) => {
        expect(decodeHostState(encodeHostState({ isOnline, timestampMs }))).toEqual({ isOnline, timestampMs });
      }),
    );
    expect(Buffer.from(encodeHostState({ isOnline: true, timestampMs: 5 })).toString()).toBe('{"online":true,"timestamp":5}');
  });

  it.each(['ONLINE', 'OFFLINE'])('names the version of a host that says %s', (text) => {
    expect(() => decodeHostState(bytes(text))).toThrow('Sparkplug 2.2');
  });

  it('refuses everything else, and nothing but with a WireError', () => {
    for (const text of ['', 'null', '[]', '{"online":"true","timestamp":1}', '{"online":true}', '{"online":true,"timestamp":-1}'])
      expect(() => decodeHostState(bytes(text))).toThrow(WireError);
    expect(() => decodeHostState(bytes(`{"online":true,"timestamp":1,"x":"${'x'.repeat(2000)}"}`))).toThrow(WireError);
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        expect(() => decodeHostState(payload)).toThrow(WireError);
      }),
    );
  });
});
