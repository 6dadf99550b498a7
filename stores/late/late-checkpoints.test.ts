import { describe, expect, it } from 'vitest';
import { createLateCheckpoints } from './late-checkpoints.ts';

const at = (nextIndex: number) => ({ nextIndex, decoder: new Uint8Array(), repeats: new Uint8Array() });

describe('late checkpoints', () => {
  it('are durable when their time has passed, not a ms before', () => {
    const late = createLateCheckpoints(60_000);
    late.replied(at(1), 0);
    late.replied(at(2), 10_000);
    expect(late.takeDurable(59_999)).toBeUndefined();
    expect(late.takeDurable(60_000)).toEqual(at(1));
    expect(late.takeDurable(69_999)).toBeUndefined();
    expect(late.takeDurable(200_000)).toEqual(at(2));
    expect(late.takeDurable(200_000)).toBeUndefined();
  });

  it('count from the last reply of those that are kept as one', () => {
    const late = createLateCheckpoints(60_000);
    for (let n = 0; n < 20; n++) late.replied(at(n), n * 200);
    // All within one slot: the newest took the place of the others, and its time.
    expect(late.takeDurable(60_000)).toBeUndefined();
    expect(late.takeDurable(63_800)).toEqual(at(19));
  });

  it('forget what is not sure any more', () => {
    const late = createLateCheckpoints(60_000);
    late.replied(at(1), 0);
    late.forget();
    expect(late.takeDurable(1e9)).toBeUndefined();
  });
});
