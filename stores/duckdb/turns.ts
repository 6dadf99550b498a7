/**
 * Who waits for whom in the store. Writes wait for nothing but the copy of the database file; a step of upkeep waits for whoever
 * needs the files of closed days as they are, who in turn waits for the running step.
 */
export interface Turns {
  write<Result>(work: () => Promise<Result>): Promise<Result>;
  /** One at a time. */
  keep<Result>(step: () => Promise<Result>): Promise<Result>;
  /** While `work` runs, no file of a closed day comes or goes. */
  holdFiles<Result>(work: () => Promise<Result>): Promise<Result>;
  /** While `work` runs, nothing is written. */
  pauseWrites<Result>(work: () => Promise<Result>): Promise<Result>;
  /** When all that has begun has ended. */
  ended(): Promise<void>;
}

export function createTurns(): Turns {
  // These three never reject.
  let writing: Promise<unknown> = Promise.resolve();
  let pausing: Promise<unknown> = Promise.resolve();
  let keeping: Promise<unknown> = Promise.resolve();
  const holding = new Set<Promise<unknown>>();
  const quiet = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);

  return {
    write(work) {
      const done = pausing.then(work);
      writing = quiet(done);
      return done;
    },
    async keep(step) {
      while (holding.size > 0) await Promise.all(holding);
      const done = step();
      keeping = quiet(done);
      return done;
    },
    async holdFiles(work) {
      const done = keeping.then(work);
      const held: Promise<unknown> = quiet(done).then(() => holding.delete(held));
      holding.add(held);
      return done;
    },
    pauseWrites(work) {
      const done = Promise.all([writing, pausing]).then(work);
      pausing = quiet(done);
      return done;
    },
    async ended() {
      await Promise.all([...holding, keeping, pausing]);
      await writing;
    },
  };
}
