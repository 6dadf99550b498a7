/** Collects what checks find: the count of each kind, and a few examples of it. */
export interface Findings {
  /** `what` is the kind, e.g. `C1 stored but never served`. */
  note(what: string, example: string): void;
  list(): readonly string[];
}

const maxExamples = 3;

export function createFindings(): Findings {
  const kinds = new Map<string, { count: number; readonly examples: string[] }>();
  return {
    note(what, example) {
      let kind = kinds.get(what);
      if (kind === undefined) {
        kind = { count: 0, examples: [] };
        kinds.set(what, kind);
      }
      kind.count++;
      if (kind.examples.length < maxExamples) kind.examples.push(example);
    },
    list: () =>
      [...kinds].map(([what, { count, examples }]) => `${what}: ${examples.join('; ')}${count > maxExamples ? ` … ${count} in all` : ''}`),
  };
}
