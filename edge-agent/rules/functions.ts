/** What an expression may call, and its operators. Nothing else can be reached from an expression. */
import { add, bitsOf, compare, divide, isBetween, modulo, multiply, type Num, normal, onBits, subtract } from './numbers.ts';
import { e10State, machineryState, packmlState } from './state-models.ts';

export type Scalar = Num | boolean | string;
export type Kind = 'number' | 'boolean' | 'string';
export type Maybe = Scalar | undefined;

/** Same kinds at run time as the check promised: arguments have been checked, `undefined` is never passed. */
export interface PureFunction {
  /** Kinds of the arguments; `same`: the kind of the first one. */
  readonly takes: readonly (Kind | 'any' | 'same')[];
  /** How many of them must be there; all when absent. */
  readonly needs?: number;
  /** The last one may come again and again. */
  readonly repeats?: boolean;
  readonly gives: Kind;
  readonly apply: (...args: never[]) => Maybe;
}

/** Texts longer than this are no value. */
const longestText = 4096;

/** 2^53 tenths are as good as none. */
const mostDigits = 15;

function rounded(value: Num, digits: Num = 0): Maybe {
  if (typeof value === 'bigint') return value;
  if (!isBetween(digits, 0, mostDigits)) return undefined;
  if (digits === 0) return normal(Math.round(value));
  // By the decimal text, not by a product: 1.005 × 100 is 100.49999999999999.
  const [mantissa, exponent = '0'] = value.toString().split('e');
  const shifted = Math.round(Number(`${mantissa}e${Number(exponent) + Number(digits)}`));
  const [back, power = '0'] = shifted.toString().split('e');
  return normal(Number(`${back}e${Number(power) - Number(digits)}`));
}

const joined = (a: string, b: string): Maybe => (a.length + b.length > longestText ? undefined : a + b);
const least = (first: Num, ...others: Num[]): Num => others.reduce((low, value) => (compare(value, low) < 0 ? value : low), first);
const most = (first: Num, ...others: Num[]): Num => others.reduce((high, value) => (compare(value, high) > 0 ? value : high), first);

export const functions: ReadonlyMap<string, PureFunction> = new Map<string, PureFunction>([
  ['abs', { takes: ['number'], gives: 'number', apply: (x: Num) => (x < 0 ? subtract(0, x) : x) }],
  ['min', { takes: ['number', 'number'], repeats: true, gives: 'number', apply: least }],
  ['max', { takes: ['number', 'number'], repeats: true, gives: 'number', apply: most }],
  ['round', { takes: ['number', 'number'], needs: 1, gives: 'number', apply: rounded }],
  ['floor', { takes: ['number'], gives: 'number', apply: (x: Num) => (typeof x === 'bigint' ? x : normal(Math.floor(x))) }],
  ['ceil', { takes: ['number'], gives: 'number', apply: (x: Num) => (typeof x === 'bigint' ? x : normal(Math.ceil(x))) }],
  [
    'clamp',
    {
      takes: ['number', 'number', 'number'],
      gives: 'number',
      apply: (x: Num, low: Num, high: Num) => (compare(low, high) > 0 ? undefined : least(most(x, low), high)),
    },
  ],
  [
    'bit',
    {
      takes: ['number', 'number'],
      gives: 'boolean',
      apply: (x: Num, n: Num) => {
        const found = bitsOf(x, n, 1);
        return found === undefined ? undefined : found === 1;
      },
    },
  ],
  ['bits', { takes: ['number', 'number', 'number'], gives: 'number', apply: bitsOf }],
  ['text', { takes: ['any'], gives: 'string', apply: (x: Scalar) => String(x) }],
  ['contains', { takes: ['string', 'string'], gives: 'boolean', apply: (text: string, part: string) => text.includes(part) }],
  ['packmlState', { takes: ['number', 'number'], needs: 1, gives: 'string', apply: packmlState }],
  ['machineryState', { takes: ['number', 'number'], needs: 1, gives: 'string', apply: machineryState }],
  ['e10State', { takes: ['string'], gives: 'string', apply: e10State }],
]);

const ofNumbers = (apply: (a: Num, b: Num) => Maybe): PureFunction => ({ takes: ['number', 'number'], gives: 'number', apply });
const compared = (test: (order: number) => boolean): PureFunction => ({
  takes: ['number', 'number'],
  gives: 'boolean',
  apply: (a: Num, b: Num) => test(compare(a, b)),
});
const equal = (a: Scalar, b: Scalar): boolean => (isNum(a) && isNum(b) ? compare(a, b) === 0 : a === b);
const shifted =
  (work: (x: bigint, by: bigint) => bigint) =>
  (x: Num, by: Num): Maybe =>
    isBetween(by, 0, 63) ? onBits(x, by, work) : undefined;

export const operators: ReadonlyMap<string, PureFunction> = new Map<string, PureFunction>([
  ['+', ofNumbers(add)],
  ['-', ofNumbers(subtract)],
  ['*', ofNumbers(multiply)],
  ['/', ofNumbers(divide)],
  ['%', ofNumbers(modulo)],
  ['&', ofNumbers((a, b) => onBits(a, b, (x, y) => x & y))],
  ['|', ofNumbers((a, b) => onBits(a, b, (x, y) => x | y))],
  ['^', ofNumbers((a, b) => onBits(a, b, (x, y) => x ^ y))],
  ['<<', ofNumbers(shifted((x, by) => x << by))],
  ['>>', ofNumbers(shifted((x, by) => x >> by))],
  ['<', compared((order) => order < 0)],
  ['<=', compared((order) => order <= 0)],
  ['>', compared((order) => order > 0)],
  ['>=', compared((order) => order >= 0)],
  ['==', { takes: ['any', 'same'], gives: 'boolean', apply: equal }],
  ['!=', { takes: ['any', 'same'], gives: 'boolean', apply: (a: Scalar, b: Scalar) => !equal(a, b) }],
]);

/** `+` between texts. */
export const textJoin: PureFunction = { takes: ['string', 'string'], gives: 'string', apply: joined };

export const unaryOperators: ReadonlyMap<string, PureFunction> = new Map<string, PureFunction>([
  ['-', { takes: ['number'], gives: 'number', apply: (x: Num) => subtract(0, x) }],
  ['!', { takes: ['boolean'], gives: 'boolean', apply: (x: boolean) => !x }],
  ['~', { takes: ['number'], gives: 'number', apply: (x: Num) => onBits(x, 0, (a) => ~a) }],
]);

export function isNum(value: unknown): value is Num {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** The kind of a value. */
export function kindOf(value: Scalar): Kind {
  return typeof value === 'boolean' || typeof value === 'string' ? (typeof value as Kind) : 'number';
}
