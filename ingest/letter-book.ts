import type { DeadLetter } from '@nhip/core/telemetry/dead-letter';
import { IntervalSet } from '@nhip/core/telemetry/interval-set';

/**
 * Which samples of which dead letters were stored after all: none may be stored twice. A letter of which all samples were is noted by
 * its place in the log only.
 */
export interface LetterBook {
  /** Whether the sample at `place` of the letter was stored. */
  has(letter: DeadLetter, place: number): boolean;
  /** Notes samples as stored. False when the book is full: then nothing is noted and the letter must stay. */
  add(letter: DeadLetter, places: readonly number[]): boolean;
  snapshot(): StoredLetters;
}

type StoredSet = readonly [key: string, intervals: readonly (readonly [number, number])[]];

export interface StoredLetters {
  /** Indexes of whole letters by log, reason and part. */
  readonly whole: readonly StoredSet[];
  /** Places by letter. */
  readonly partial: readonly StoredSet[];
}

/** Letters are replayed by people; beyond this the checkpoint would grow noticeably. */
const maxWholeIntervals = 20_000;
const maxPartial = 1000;

export function openLetterBook(stored: StoredLetters = { whole: [], partial: [] }): LetterBook {
  const whole = new Map(stored.whole.map(([key, intervals]) => [key, new IntervalSet(intervals)]));
  const partial = new Map(stored.partial.map(([key, intervals]) => [key, new IntervalSet(intervals)]));

  const kindKey = ({ sourceLog, reason, part }: DeadLetter): string => `${sourceLog} ${reason} ${part}`;
  const letterKey = (letter: DeadLetter): string => `${kindKey(letter)} ${letter.sourceIndex}`;

  function isFull(): boolean {
    let intervals = 0;
    for (const set of whole.values()) intervals += set.intervalCount;
    return intervals >= maxWholeIntervals || partial.size >= maxPartial;
  }

  return {
    has: (letter, place) =>
      whole.get(kindKey(letter))?.has(letter.sourceIndex) === true || partial.get(letterKey(letter))?.has(place) === true,

    add(letter, places) {
      const key = letterKey(letter);
      if (!partial.has(key) && isFull()) return false;
      const done = partial.get(key) ?? new IntervalSet();
      for (const place of places) done.add(place, place + 1);
      const isWhole = letter.rows.every((row) => row.places.every(([from, to]) => done.overlap(from, to) === to - from));
      if (!isWhole) {
        partial.set(key, done);
        return true;
      }
      partial.delete(key);
      const indexes = whole.get(kindKey(letter)) ?? new IntervalSet();
      indexes.add(letter.sourceIndex, letter.sourceIndex + 1);
      whole.set(kindKey(letter), indexes);
      return true;
    },

    snapshot: () => ({ whole: intervalsOf(whole), partial: intervalsOf(partial) }),
  };
}

function intervalsOf(sets: ReadonlyMap<string, IntervalSet>): readonly StoredSet[] {
  return [...sets].map(([key, set]) => [key, set.intervals()] as const);
}
