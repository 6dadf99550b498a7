import { ConfigError } from '@nhip/core/process/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKept, traceIdOf } from './trace-id.ts';
import { openTracing } from './tracing.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const identity = fc.record({ stream: fc.constantFrom('0', '7', 'a', 'f').map((digit) => digit.repeat(32)), seq: fc.maxSafeNat() });

describe('the trace of a record', () => {
  it('is the same wherever it is derived, and another for another record', () => {
    fc.assert(
      fc.property(identity, identity, (one, other) => {
        const isSame = one.stream === other.stream && one.seq === other.seq;
        expect(traceIdOf({ ...one })).toEqual(traceIdOf(one));
        expect(traceIdOf(one).traceId === traceIdOf(other).traceId).toBe(isSame);
        expect(traceIdOf(one)).toEqual({
          traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
          rootId: expect.stringMatching(/^[0-9a-f]{16}$/),
        });
      }),
    );
  });

  it('is kept as often as the share says, and whoever keeps less keeps a part of the same', () => {
    const ids = Array.from({ length: 20_000 }, (_, seq) => traceIdOf({ stream: 'ab'.repeat(16), seq }).traceId);
    const kept = ids.filter((id) => isKept(id, 0.1));
    expect(kept.length / ids.length).toBeCloseTo(0.1, 1);
    expect(ids.filter((id) => isKept(id, 0.02)).every((id) => kept.includes(id))).toBe(true);
    expect(ids.every((id) => isKept(id, 1))).toBe(true);
  });
});

describe('tracing', () => {
  it('is off until an endpoint is named', async () => {
    expect(await openTracing('edge', '1', {})).toBeUndefined();
    expect(await openTracing('edge', '1', { OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeUndefined();
    expect(await openTracing('edge', '1', { ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  });

  it.each(['0', '-1', '2', 'many'])('refuses %s as a share', async (share) => {
    await expect(openTracing('edge', '1', { ...endpoint, OTEL_TRACES_SAMPLER_ARG: share })).rejects.toThrow(ConfigError);
  });
});
