import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { decodeResend, type ResendRequest } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { describe, expect, it } from 'vitest';
import { createResendRequester } from './resend.ts';

function rig() {
  const clock = createSimClock();
  const sent: { readonly to: string; readonly requests: readonly ResendRequest[] }[] = [];
  const ask = createResendRequester(clock, (group, edge, payload) => {
    const requests = decodePayload(payload).metrics.map(({ value }) =>
      decodeResend(value instanceof Uint8Array ? value : new Uint8Array()),
    );
    sent.push({ to: `${group}/${edge}`, requests });
  });
  return { clock, sent, ask };
}

const stream = '0f'.repeat(16);
const gap = (from: number): ResendRequest => ({ stream, from, to: from + 5 });

describe('asking for numbers again', () => {
  it('names them, at most sixteen ranges, and asks nobody for nothing', () => {
    const { clock, sent, ask } = rig();
    expect(ask('g/e', [], clock.now())).toBe(false);
    const gaps = Array.from({ length: 40 }, (_, i) => gap(i * 10));
    expect(ask('g/e', gaps, clock.now())).toBe(true);
    expect(sent).toEqual([{ to: 'g/e', requests: gaps.slice(0, 16) }]);
  });

  it('leaves an edge in peace for ten seconds, longer while the same number stays missing, others not', async () => {
    const { clock, ask } = rig();
    const askedAfter = async (ms: number, from = 0, edge = 'g/e') => {
      await clock.advance(ms);
      return ask(edge, [gap(from)], clock.now());
    };
    expect(await askedAfter(0)).toBe(true);
    expect(await askedAfter(0, 0, 'g/f')).toBe(true);
    expect(await askedAfter(9999)).toBe(false);
    expect(await askedAfter(1)).toBe(true);
    expect(await askedAfter(19_999)).toBe(false);
    expect(await askedAfter(1)).toBe(true);
    expect(await askedAfter(40_000, 7)).toBe(true);
    expect(await askedAfter(10_000, 7)).toBe(true);
    for (let i = 0; i < 9; i++) await askedAfter(600_000, 7);
    expect(await askedAfter(600_000, 7)).toBe(true);
  });

  it('does not ask because of replayed history', () => {
    const { clock, ask } = rig();
    expect(ask('g/e', [gap(0)], clock.now() - 30_001)).toBe(false);
    expect(ask('g/e', [gap(0)], clock.now() - 30_000)).toBe(true);
  });
});
