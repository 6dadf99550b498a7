import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLossReport, encodeLossReport, type LossReport, lossReasons, maxLossReportRows } from './loss.ts';
import { WireError } from './wire-error.ts';

const hourMs = 3_600_000;
const hexId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const row = fc
  .record({
    device: fc.string({ maxLength: 64 }),
    metric: fc.string({ maxLength: 512 }),
    samples: fc.nat(1_000_000),
    hour: fc.nat(1_000_000),
    ms: fc.tuple(fc.nat(hourMs - 1), fc.nat(hourMs - 1)),
  })
  .map(({ hour, ms, ...rest }) => ({ ...rest, fromMs: hour * hourMs + Math.min(...ms), toMs: hour * hourMs + Math.max(...ms) }));
const report: fc.Arbitrary<LossReport> = fc
  .record({
    ledger: hexId,
    no: fc.maxSafeNat(),
    reason: fc.constantFrom(...lossReasons),
    stream: hexId,
    seqFrom: fc.nat(),
    extra: fc.nat(),
    fromMs: fc.nat(),
    spanMs: fc.nat(),
    rows: fc.array(row, { maxLength: 20 }),
  })
  .map(({ extra, spanMs, ...rest }) => ({
    ...rest,
    seqTo: rest.seqFrom + rest.rows.reduce((sum, { samples }) => sum + samples, 0) + extra,
    toMs: rest.fromMs + spanMs,
  }));

const sound: LossReport = {
  ledger: '0123456789abcdef'.repeat(2),
  no: 7,
  reason: 'outboxQuota',
  stream: 'f'.repeat(32),
  seqFrom: 10,
  seqTo: 15,
  fromMs: 1000,
  toMs: 2000,
  rows: [{ device: 'press', metric: 'Speed', samples: 5, fromMs: 1000, toMs: 2000 }],
};

describe('a loss report on the wire', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(report, (value) => {
        expect(decodeLossReport(encodeLossReport(value))).toEqual(value);
      }),
    );
  });

  it.each<[string, object]>([
    ['a ledger id that is none', { ledger: 'x' }],
    ['a stream id that is none', { stream: 'F'.repeat(32) }],
    ['a reason nobody knows', { reason: 'toString' }],
    ['no reason', { reason: undefined }],
    ['numbers backwards', { seqFrom: 16 }],
    ['times backwards', { toMs: 999 }],
    ['a number above 2^53', { seqTo: 2 ** 53 }],
    ['half a number', { no: 0.5 }],
    ['a negative number', { fromMs: -1 }],
    ['a number as text', { no: '7' }],
    ['more samples in rows than numbers', { seqTo: 14 }],
    ['rows that are no list', { rows: {} }],
    ['a row that is no object', { rows: [null] }],
    ['a row over two hours', { rows: [{ ...sound.rows[0], toMs: hourMs }] }],
    ['a row with a negative count', { rows: [{ ...sound.rows[0], samples: -1 }] }],
    ['a row without a device', { rows: [{ ...sound.rows[0], device: undefined }] }],
    ['a text that is too long', { rows: [{ ...sound.rows[0], metric: 'x'.repeat(513) }] }],
    ['too many rows', { rows: Array.from({ length: maxLossReportRows + 1 }, () => ({ ...sound.rows[0], samples: 0 })) }],
  ])('is refused with %s', (_, change) => {
    expect(() => decodeLossReport(JSON.stringify({ ...sound, ...change }))).toThrow(WireError);
  });

  it('throws nothing but a WireError, whatever the text is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => decodeLossReport(text)).toThrow(WireError);
      }),
    );
  });
});
