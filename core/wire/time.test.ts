import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTime, parseTime } from './time.ts';

describe('times as text', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (timestampMs) => {
        expect(parseTime(formatTime(timestampMs))).toBe(timestampMs);
      }),
    );
  });

  it('are read with their zone, wherever this computer is', () => {
    const sixMs = Date.UTC(2026, 10, 19, 23);
    for (const text of ['2026-11-20T06:00+07:00', '2026-11-20T06:00:00.000+0700', '2026-11-19T23:00Z']) {
      expect(parseTime(text), text).toBe(sixMs);
    }
  });

  it('are none without a zone, in another order, or when there is no such time', () => {
    for (const text of ['01/11/2026', '2026-11-20T06:00', '2026-11-20', '20.11.2026 06:00 +0700', '2026-13-01T00:00Z', '2026', '', '5']) {
      expect(parseTime(text), text).toBeUndefined();
    }
  });
});
