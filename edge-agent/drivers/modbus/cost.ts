import type { Endpoint } from './endpoint.ts';
import type { SerialOptions } from './serial-link.ts';
import { characterMs, silenceMs } from './transport.ts';

/** What a request costs: reading along unused registers pays while it takes less time than another request. */
export interface RequestCost {
  /** Request, silence, turn-around and the frame around the answer, ms. */
  readonly requestMs: number;
  /** Each register in the answer, ms. */
  readonly wordMs: number;
}

/** What a device on a serial line takes to begin its answer, before it was measured. */
const serialTurnaroundMs = 5;
/** Network and device before they were measured: 32 registers cost as much as a request. */
const tcpGuess: RequestCost = { requestMs: 3.2, wordMs: 0.1 };
/** Request of 8 characters, answer of 5 around its data. */
const frameCharacters = 13;

/** What can be said before the first request. */
export function expectedCost(endpoint: Endpoint, serial: SerialOptions): RequestCost {
  if (endpoint.kind !== 'serial') return tcpGuess;
  const perCharacterMs = characterMs(serial);
  return { requestMs: frameCharacters * perCharacterMs + 2 * silenceMs(serial) + serialTurnaroundMs, wordMs: 2 * perCharacterMs };
}

export interface CostMeter {
  /** A request for so many registers was answered after so long. */
  observe(words: number, elapsedMs: number): void;
  cost(): RequestCost;
}

/** How much one measurement weighs against all before it. */
const memory = 0.99;
/** Measurements that the expectation counts for. */
const expectationWeight = 10;
const leastRequestMs = 0.1;
const leastWordMs = 0.001;
/** The frames and silences of another request alone are as long as so many registers, on any medium. */
const leastBreakEven = 10;

/**
 * Fits a line through time and length of the requests (least squares with fading memory); it begins at the expectation. On a serial line the
 * time of a register is known and only the rest is measured.
 */
export function createCostMeter(expected: RequestCost, isWordKnown: boolean): CostMeter {
  let [weight, words, ms, wordsSquared, wordsMs] = [0, 0, 0, 0, 0];
  const add = (atWords: number, took: number, counts: number): void => {
    weight = weight * memory + counts;
    words = words * memory + counts * atWords;
    ms = ms * memory + counts * took;
    wordsSquared = wordsSquared * memory + counts * atWords * atWords;
    wordsMs = wordsMs * memory + counts * atWords * took;
  };
  add(0, expected.requestMs, expectationWeight / 2);
  add(125, expected.requestMs + 125 * expected.wordMs, expectationWeight / 2);

  const cost = (): RequestCost => {
    const spread = weight * wordsSquared - words * words;
    const fitted = isWordKnown || spread <= 1e-9 * weight * weight ? expected.wordMs : (weight * wordsMs - words * ms) / spread;
    const slope = Math.max(leastWordMs, fitted);
    const requestMs = Math.max(leastRequestMs, (ms - slope * words) / weight);
    return { requestMs, wordMs: Math.min(slope, requestMs / leastBreakEven) };
  };
  return {
    cost,
    observe: (atWords, elapsedMs) => {
      const known = cost();
      // One answer that waited for something else says nothing about the rest.
      add(atWords, Math.min(elapsedMs, 5 * (known.requestMs + known.wordMs * atWords)), 1);
    },
  };
}
