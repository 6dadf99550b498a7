/** Functions that remember something from one evaluation to the next, each call in an expression for itself. */
import { counterIncrease } from '@nhip/core/kpi/counter';
import { type Kind, kindOf, type Maybe, type Scalar } from './functions.ts';
import { add, compare, type Num, subtract } from './numbers.ts';

/** What one call remembers; plain enough to be kept as JSON. */
export interface Memory {
  readonly last?: Scalar | undefined;
  readonly sum?: Num | undefined;
}

export interface MemoryFunction {
  readonly takes: readonly (Kind | 'any')[];
  readonly needs?: number;
  readonly gives: Kind;
  /**
   * The result is a sum that must never be seen going back: what is shown is only what is on disk. Others may forget what they
   * remembered in a crash and begin anew.
   */
  readonly isSum: boolean;
  readonly step: (memory: Memory, ...args: never[]) => { readonly memory: Memory; readonly result: Maybe };
}

const edge = (test: (before: boolean, now: boolean) => boolean): MemoryFunction => ({
  takes: ['boolean'],
  gives: 'boolean',
  isSum: false,
  step: ({ last }, now: boolean) => ({ memory: { last: now }, result: typeof last === 'boolean' && test(last, now) }),
});

/** What a counter gained; a drop is a reset, or a wrap when it says where it rolls over. 0 for the first reading and for a negative one. */
function gain(last: Num, now: Num, rolloverAt: Num | undefined): Num {
  if (typeof last === 'number' && typeof now === 'number') {
    return counterIncrease(last, now, { rolloverAt: rolloverAt === undefined ? undefined : Number(rolloverAt) });
  }
  if (last < 0 || now < 0) return 0;
  if (compare(now, last) >= 0) return subtract(now, last) ?? 0;
  const wraps =
    rolloverAt !== undefined && last < rolloverAt && Number(last) >= Number(rolloverAt) / 2 && Number(now) < Number(rolloverAt) / 2;
  return wraps ? (add(subtract(rolloverAt, last) ?? 0, now) ?? 0) : now;
}

export const memoryFunctions: ReadonlyMap<string, MemoryFunction> = new Map<string, MemoryFunction>([
  ['rising', edge((before, now) => !before && now)],
  ['falling', edge((before, now) => before && !now)],
  [
    'changed',
    {
      takes: ['any'],
      gives: 'boolean',
      isSum: false,
      step: ({ last }, now: Scalar) => ({
        memory: { last: now },
        result: last !== undefined && (kindOf(last) !== kindOf(now) || last !== now),
      }),
    },
  ],
  [
    'delta',
    {
      takes: ['number'],
      gives: 'number',
      isSum: false,
      step: ({ last }, now: Num) => ({ memory: { last: now }, result: isNumber(last) ? subtract(now, last) : undefined }),
    },
  ],
  [
    'count',
    {
      takes: ['boolean'],
      gives: 'number',
      isSum: true,
      step: ({ last, sum = 0 }, now: boolean) => {
        const next = last === false && now ? add(sum, 1) : sum;
        return { memory: { last: now, sum: next }, result: next };
      },
    },
  ],
  [
    'total',
    {
      takes: ['number', 'number'],
      needs: 1,
      gives: 'number',
      isSum: true,
      step: ({ last, sum = 0 }, now: Num, rolloverAt?: Num) => {
        const next = isNumber(last) ? add(sum, gain(last, now, rolloverAt)) : sum;
        return { memory: { last: now, sum: next }, result: next };
      },
    },
  ],
]);

function isNumber(value: unknown): value is Num {
  return typeof value === 'number' || typeof value === 'bigint';
}
