/** Samples that a store took, over all runs of its ingest; what it lost and took again counts once. */
export interface StoredCount {
  /** Where the running ingest is now: the index of the next record, and what it has stored of the log before that. */
  mark(nextIndex: number, stored: number): void;
  /** A run is over that stored so many. */
  endRun(stored: number): void;
  /** A run begins at this record. */
  beginRun(nextIndex: number): void;
  /** Of the runs that are over. */
  total(): number;
}

/** What a store may lose is seconds old; a mark is made every second. */
const maxMarks = 600;

export function createStoredCount(): StoredCount {
  let marks: { readonly nextIndex: number; readonly stored: number }[] = [];
  let before = 0;
  return {
    mark(nextIndex, stored) {
      if (marks.at(-1)?.nextIndex === nextIndex) marks.pop();
      marks.push({ nextIndex, stored: before + stored });
      if (marks.length > maxMarks) marks.shift();
    },
    endRun(stored) {
      before += stored;
    },
    beginRun(nextIndex) {
      // Written again from here on.
      const last = marks.at(-1);
      if (last !== undefined && nextIndex < last.nextIndex) {
        before = Math.min(before, (marks.findLast((mark) => mark.nextIndex <= nextIndex) ?? marks[0])?.stored ?? before);
      }
      marks = [{ nextIndex, stored: before }];
    },
    total: () => before,
  };
}
