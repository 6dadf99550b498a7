import type { Json } from '../machine.ts';

/** A seeded random generator (Chris Doty-Humphrey's sfc32) whose whole state is four numbers. */
export interface Prng {
  /** Uniform in [0, 1). */
  next(): number;
  /** Standard normal distribution. */
  normal(): number;
  /** Exponential distribution. */
  exponential(mean: number): number;
  /** How long something lasts: around `mean`, skewed to the right, between a quarter and four times of it. */
  duration(mean: number): number;
  state(): readonly number[];
  restore(state: Json | undefined): void;
}

export function createPrng(seed: number, stream: string): Prng {
  let [a, b, c, counter] = [seed | 0, hash(stream), 0x9e3779b9 | 0, 1];

  const nextU32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) nextU32();

  const next = (): number => nextU32() / 2 ** 32;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    normal,
    exponential: (mean) => -mean * Math.log(1 - next()),
    duration: (mean) => mean * Math.min(4, Math.max(0.25, Math.exp(0.55 * normal() - 0.15))),
    state: () => [a, b, c, counter],
    restore(state) {
      if (!Array.isArray(state) || state.length !== 4 || state.some((part) => !Number.isInteger(part))) {
        throw new TypeError('random state: expected four integers');
      }
      [a, b, c, counter] = state as [number, number, number, number];
    },
  };
}

/** FNV-1a, so that machines with the same seed and another name differ. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  }
  return sum | 0;
}
