import type { Random } from '../env.ts';

/** Seeded random numbers (the mulberry32 generator): the same seed gives the same sequence. For simulations only. */
export function createSimRandom(seed: number): Random {
  let state = seed >>> 0;
  const nextWord = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  };
  return {
    next: () => nextWord() / 2 ** 32,
    bytes: (count) => Uint8Array.from({ length: count }, () => nextWord() & 0xff),
  };
}
