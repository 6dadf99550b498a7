/** Lets one piece of work run at a time, in the order in which they were asked for. */
export interface Turns {
  /** Settles as `work` does. Work that fails does not stop what waits behind it. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take: (work) => {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}
