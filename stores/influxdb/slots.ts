/** Lets at most so many jobs run at a time. */
export interface Slots {
  /** Of those that wait, the one with the lowest rank begins first; of the same rank the one that came first. */
  run<T>(rank: number, job: () => Promise<T>): Promise<T>;
  /** Jobs that wait for a slot. */
  waiting(): number;
}

interface Waiting {
  readonly rank: number;
  begin(): void;
}

export function createSlots(atOnce: number): Slots {
  const waiting: Waiting[] = [];
  let free = atOnce;
  return {
    waiting: () => waiting.length,
    async run(rank, job) {
      if (free > 0) free--;
      else {
        await new Promise<void>((begin) => {
          const index = waiting.findIndex((other) => other.rank > rank);
          waiting.splice(index < 0 ? waiting.length : index, 0, { rank, begin });
        });
      }
      try {
        return await job();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free++;
        else next.begin();
      }
    },
  };
}
