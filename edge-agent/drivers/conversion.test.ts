import { quality } from '@nhip/core/wire/sample';
import { describe, expect, it } from 'vitest';
import { createConverter } from './conversion.ts';

describe('converting raw values', () => {
  it('scales to round figures', () => {
    const tenth = createConverter({ scale: 0.1, offset: 0 });
    expect([3, 7, 231, -5].map((raw) => tenth(raw).value)).toEqual([0.3, 0.7, 23.1, -0.5]);
    expect(createConverter({ scale: 0.25, offset: -40 })(300).value).toBe(35);
    expect(createConverter({ scale: -2, offset: 1 })(10n).value).toBe(-19);
  });

  it('leaves unscaled values alone', () => {
    const plain = createConverter({ scale: 1, offset: 0 });
    for (const raw of [5, 2n ** 60n, true, 'text', null]) expect(plain(raw)).toEqual({ value: raw, quality: quality.good });
  });

  it('makes NaN and infinities bad', () => {
    for (const conversion of [
      { scale: 1, offset: 0 },
      { scale: 2, offset: 0 },
    ]) {
      for (const raw of [Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(createConverter(conversion)(raw)).toEqual({ value: null, quality: quality.bad, problem: 'notANumber' });
      }
    }
  });

  it('names numbers and switches by the enum, and makes others bad', () => {
    const named = createConverter({ scale: 1, offset: 0, enum: { 0: 'off', 1: 'on', '-1': 'fault' } });
    expect([0, 1, -1, 1n, true, false].map((raw) => named(raw).value)).toEqual(['off', 'on', 'fault', 'on', 'on', 'off']);
    for (const raw of [2, null, 'constructor', '__proto__'])
      expect(named(raw)).toEqual({ value: null, quality: quality.bad, problem: 'notInEnum' });
  });
});
