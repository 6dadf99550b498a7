import type { CrashWindow, ServedValue } from '../../checker/evidence.ts';

/** What the sources handed out: kept outside of everything that can fail. */
export interface Journal {
  readonly served: readonly ServedValue[];
  readonly windows: readonly CrashWindow[];
  /** The next value of a series: it counts from 1. */
  next(series: string): number;
  serve(value: ServedValue): void;
  /** Values of `edge` of this time may be missing. */
  mayMiss(window: CrashWindow): void;
}

export function createJournal(): Journal {
  const served: ServedValue[] = [];
  const windows: CrashWindow[] = [];
  const last = new Map<string, number>();
  return {
    served,
    windows,
    next(series) {
      const value = (last.get(series) ?? 0) + 1;
      last.set(series, value);
      return value;
    },
    serve: (value) => void served.push(value),
    mayMiss: (window) => void windows.push(window),
  };
}
