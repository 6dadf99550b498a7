import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { withEitherSignal } from './either-signal.ts';

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

describe('withEitherSignal', () => {
  it.each([0, 1])('aborts with signal %i and for its reason', async (which) => {
    const both = [new AbortController(), new AbortController()];
    const working = withEitherSignal(
      both.map(({ signal }) => signal),
      aborted,
    );
    both[which]?.abort('enough');
    await expect(working).rejects.toBe('enough');
  });

  it('is aborted from the beginning when one is', async () => {
    const signals = [new AbortController().signal, AbortSignal.abort('before')];
    expect(await withEitherSignal(signals, async ({ aborted: isAborted, reason }) => [isAborted, reason])).toEqual([true, 'before']);
  });

  it('leaves nothing at a signal that lives on, however the work ends', async () => {
    const { signal } = new AbortController();
    await withEitherSignal([signal], async () => 1);
    await withEitherSignal([signal], () => Promise.reject(new Error('no'))).catch(() => undefined);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
