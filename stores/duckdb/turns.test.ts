import { describe, expect, it } from 'vitest';
import { createTurns } from './turns.ts';

/** Steps that end when they are told to; what has begun is in `begun`. */
function steps() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const step = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.set(name, () => resolve(name));
    });
  return { begun, step, end: (name: string) => ends.get(name)?.() };
}
const settled = () => new Promise(setImmediate);

describe('turns', () => {
  it('let writes go on while a copy waits for a step of upkeep, and stop them only while the database is copied', async () => {
    const turns = createTurns();
    const { begun, step, end } = steps();
    const kept = turns.keep(step('upkeep'));
    const copied = turns.holdFiles(async () => {
      await turns.pauseWrites(step('copy'));
      return step('link')();
    });
    const first = turns.write(step('write 1'));
    await settled();
    expect(begun).toEqual(['upkeep', 'write 1']);
    end('upkeep');
    await kept;
    const next = turns.keep(step('upkeep 2'));
    await settled();
    expect(begun).toEqual(['upkeep', 'write 1']);
    end('write 1');
    await first;
    const second = turns.write(step('write 2'));
    await settled();
    expect(begun.slice(2)).toEqual(['copy']);
    end('copy');
    await settled();
    expect(begun.slice(3).sort()).toEqual(['link', 'write 2']);
    end('write 2');
    end('link');
    expect(await Promise.all([copied, second])).toEqual(['link', 'write 2']);
    await settled();
    expect(begun.at(-1)).toBe('upkeep 2');
    end('upkeep 2');
    expect(await next).toBe('upkeep 2');
  });

  it('go on after work that failed, and end when everything has', async () => {
    const turns = createTurns();
    const fail = () => Promise.reject(new Error('broken'));
    const failed = [turns.write(fail), turns.keep(fail), turns.holdFiles(fail), turns.pauseWrites(fail)];
    for (const { status } of await Promise.allSettled(failed)) expect(status).toBe('rejected');
    const { step, end } = steps();
    const last = turns.write(step('write'));
    let hasEnded = false;
    const ended = turns.ended().then(() => {
      hasEnded = true;
    });
    await settled();
    expect(hasEnded).toBe(false);
    end('write');
    await Promise.all([last, ended]);
  });
});
