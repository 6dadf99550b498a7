import { describe, expect, it } from 'vitest';
import { createLifecycle, type Part } from './lifecycle.ts';
import { silentLog } from './log.ts';

function recorder() {
  const events: string[] = [];
  const part = (name: string, fail?: 'start' | 'stop'): Part => ({
    name,
    start: async () => {
      events.push(`+${name}`);
      if (fail === 'start') throw new Error(`${name} failed`);
    },
    stop: async () => {
      events.push(`-${name}`);
      if (fail === 'stop') throw new Error(`${name} failed`);
    },
  });
  return { events, part };
}

describe('lifecycle', () => {
  it('starts in order, stops in reverse, once', async () => {
    const { events, part } = recorder();
    const cycle = createLifecycle([part('a'), part('b')], silentLog());
    await cycle.start();
    await Promise.all([cycle.stop(), cycle.stop()]);
    await cycle.stop();
    expect(events).toEqual(['+a', '+b', '-b', '-a']);
  });

  it('stops what had started when a part fails, and throws its error', async () => {
    const { events, part } = recorder();
    const cycle = createLifecycle([part('a'), part('b', 'start'), part('c')], silentLog());
    await expect(cycle.start()).rejects.toThrow('b failed');
    expect(events).toEqual(['+a', '+b', '-b', '-a']);
  });

  it('stops the others when one does not stop', async () => {
    const { events, part } = recorder();
    const cycle = createLifecycle([part('a'), part('b', 'stop')], silentLog());
    await cycle.start();
    await cycle.stop();
    expect(events).toEqual(['+a', '+b', '-b', '-a']);
  });
});
