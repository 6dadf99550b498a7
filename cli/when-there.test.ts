import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { describe, expect, it } from 'vitest';
import { whenThere } from './when-there.ts';

const log = silentLog();

describe('waiting for another program', () => {
  it('tries with growing pauses until it is there, and says what it waits for', async () => {
    const clock = createSimClock();
    const problems: (string | undefined)[] = [];
    let tries = 0;
    const attempt = async (): Promise<string> => {
      if (++tries < 12) throw new RetryableError('store.unreachable', 'nobody there');
      return 'open';
    };
    const waiting = (problem: string | undefined): void => void problems.push(problem);
    const begin = clock.monotonic();
    const found = await clock.drive(whenThere(attempt, { clock, log, signal: new AbortController().signal, waiting }));
    expect(found).toBe('open');
    expect(problems).toEqual([...Array.from({ length: 11 }, () => 'nobody there'), undefined]);
    expect(clock.monotonic() - begin).toBe(250 + 500 + 1000 + 2000 + 4000 + 6 * 5000);
  });

  it('does not wait for what will not come, nor when it is told to stop', async () => {
    const clock = createSimClock();
    const abort = new AbortController();
    const options = { clock, log, signal: abort.signal };
    await expect(whenThere(() => Promise.reject(new PermanentError('store.denied', 'no')), options)).rejects.toThrow('no');
    await expect(whenThere(() => Promise.reject(new RetryableError('live.portInUse', 'taken')), options)).rejects.toThrow('taken');
    const waiting = whenThere(() => Promise.reject(new RetryableError('log.notThere', 'not yet')), options);
    abort.abort();
    await expect(waiting).rejects.toThrow();
  });
});
