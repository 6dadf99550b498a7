import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEvaluation } from './evaluation.ts';
import { compileExpression, type Surroundings } from './expression.ts';
import { functions, type Kind, kindOf, type Maybe, operators, type Scalar, unaryOperators } from './functions.ts';
import { memoryFunctions } from './memory-functions.ts';

const kinds: Readonly<Record<string, Kind>> = { n: 'number', m: 'number', b: 'boolean', s: 'string', 'Count/Total': 'number' };
const surroundings: Surroundings = {
  kindOf: (name) => (Object.hasOwn(kinds, name) ? kinds[name] : undefined),
  map: { '1': 'one', '2': 'two' },
};

function problemOf(text: string): string {
  const result = compileExpression(text, surroundings);
  return 'problem' in result ? result.problem : 'none';
}

/** The value of an expression for inputs given by name; each set of inputs is a step. */
function run(text: string, ...steps: Readonly<Record<string, Scalar>>[]): readonly Maybe[] {
  const result = compileExpression(text, surroundings);
  if ('problem' in result) throw new Error(result.problem);
  const { program } = result;
  const evaluation = createEvaluation(program, true);
  return steps.map((inputs) => evaluation.step(program.inputs.map((name) => inputs[name] as Scalar)));
}

const value = (text: string, inputs: Readonly<Record<string, Scalar>>): Maybe => run(text, inputs)[0];

describe('an expression', () => {
  it('makes words of a PLC word', () => {
    const text = 'n == 3 ? "running" : n == 4 ? "fault" : "idle"';
    expect([3, 4, 5].map((n) => value(text, { n }))).toEqual(['running', 'fault', 'idle']);
    expect(value('lookup(n)', { n: 2 })).toBe('two');
    expect(value('lookup(n)', { n: 3 })).toBeUndefined();
    expect(value('lookup(n, "other")', { n: 3 })).toBe('other');
    expect(value('packmlState(n)', { n: 6 })).toBe('running');
    expect(value('packmlState(n, m)', { n: 6, m: 2 })).toBe('maintenance');
    expect(value('machineryState(n, m)', { n: 1, m: 3 })).toBe('fault');
    expect(value('e10State(s)', { s: 'SBY' })).toBe('idle');
    expect(value('packmlState(n)', { n: 99 })).toBe('unknown');
  });

  it('tests bits, of negative words too', () => {
    expect(value('bit(n, 3)', { n: 0b1000 })).toBe(true);
    expect(value('bit(n, 15)', { n: -32_768 })).toBe(true);
    expect(value('bits(n, 4, 4)', { n: 0xa5 })).toBe(0xa);
    expect(value('bit(n, 63)', { n: 2n ** 63n })).toBe(true);
    expect(value('(n & 255) | 256', { n: -1 })).toBe(511);
    expect(value('bit(n, 0)', { n: 1.5 })).toBeUndefined();
    expect(value('n << m', { n: 1, m: 1e9 })).toBeUndefined();
  });

  it('is exact in integers of 64 bits and honest about the rest', () => {
    expect(value('n + 1', { n: 9_007_199_254_740_993n })).toBe(9_007_199_254_740_994n);
    expect(value('n - m', { n: 9_007_199_254_740_993n, m: 9_007_199_254_740_992n })).toBe(1);
    expect(value('n * m', { n: 2 ** 40, m: 2 ** 20 })).toBe(2n ** 60n);
    expect(value('n == 9007199254740993', { n: 9_007_199_254_740_993n })).toBe(true);
    expect(value('n * n', { n: 2n ** 63n })).toBeUndefined();
    expect(value('n / m', { n: 1, m: 0 })).toBeUndefined();
    expect(value('n % m', { n: 7, m: 0 })).toBeUndefined();
    expect(value('n / m', { n: 7, m: 2 })).toBe(3.5);
    expect(value('m != 0 && n / m > 3', { n: 7, m: 0 })).toBe(false);
    expect(value('round(n, 2)', { n: 1.005 })).toBe(1.01);
    expect(value('clamp(n, 0, 100)', { n: 170 })).toBe(100);
    expect(value('max(n, m, 5)', { n: 3, m: 9 })).toBe(9);
    expect(value('tag("Count/Total") - n', { 'Count/Total': 10, n: 3 })).toBe(7);
  });

  it('remembers', () => {
    const level = (...values: boolean[]) => values.map((b) => ({ b }));
    expect(run('rising(b)', ...level(true, false, true, true))).toEqual([false, false, true, false]);
    expect(run('falling(b)', ...level(true, false, true))).toEqual([false, true, false]);
    expect(run('count(b)', ...level(true, false, true, true, false, true))).toEqual([0, 0, 1, 1, 1, 2]);
    const counts = (...values: Scalar[]) => values.map((n) => ({ n }));
    expect(run('delta(n)', ...counts(5, 7, 6))).toEqual([undefined, 2, -1]);
    expect(run('total(n, 65536)', ...counts(65_530, 65_535, 4, 10))).toEqual([0, 5, 10, 16]);
    expect(run('total(n)', ...counts(100, 110, 3))).toEqual([0, 10, 13]);
    expect(run('total(n)', ...counts(2n ** 60n, 2n ** 60n + 5n))).toEqual([0, 5]);
    expect(run('count(delta(n) > 5)', ...counts(0, 10, 11, 30))).toEqual([0, 0, 0, 1]);
    expect(run('changed(n)', ...counts(1, 1, 2))).toEqual([false, false, true]);
  });

  it('is refused with the place and what is wrong', () => {
    expect(problemOf('n + speeed')).toBe('column 5: the device has no tag "speeed" that a rule can read');
    expect(problemOf('"speed" == s && speed > 1')).toContain('column 17: the device has no tag "speed"');
    expect(problemOf('n + ')).toMatch(/^column 5: /);
    expect(problemOf('n + b')).toBe('column 3: + needs a number, value 2 is a boolean');
    expect(problemOf('foo(n)')).toMatch(/^column 1: foo is unknown; there are abs, /);
    expect(problemOf('bit(n)')).toBe('column 1: bit takes 2 values, not 1');
    expect(problemOf('n ? 1 : 2')).toContain('must be true or false');
    expect(problemOf('b ? 1 : "a"')).toContain('of one kind');
    expect(problemOf('tag("Count/Nothing")')).toContain('column 6: the device has no tag "Count/Nothing"');
    expect(problemOf('1 + 2')).toContain('reads no tag');
    expect(problemOf('n == b')).toContain('== needs a number');
    expect(problemOf(`${'-'.repeat(200)}n`)).toContain('too large');
    expect(problemOf('n === 1')).toContain('=== is unknown');
  });

  it('may be nested as deep as its length allows', () => {
    const nested = (depth: number) => problemOf(`${'('.repeat(depth)}n${')'.repeat(depth)}`);
    expect(nested(900)).toBe('none');
    expect(nested(1001)).toBe('is longer than 2000 characters');
    expect(problemOf('('.repeat(2000))).not.toBe('none');
  });

  it.each([
    'n.constructor',
    'n["constructor"]',
    'constructor',
    '__proto__ + n',
    'toString(n)',
    'hasOwnProperty(n)',
    'tag("__proto__")',
    'lookup.call(n)',
    'abs.constructor("return process")(n)',
    'this',
    '[n]',
    'n, m',
    'n m',
    'n; m',
    '(n, m)',
    'null',
    'n = 1',
    '`n`',
    'n?.x',
    '',
    ' ',
    '(',
    '1e999 + n',
    'globalThis',
    'x => n',
    'new abs(n)',
  ])('%j is refused', (text) => {
    expect(problemOf(text)).not.toBe('none');
  });
});

describe('any expression that passes the check', () => {
  const scalarOf: Readonly<Record<Kind, fc.Arbitrary<Scalar>>> = {
    number: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).filter((x) => !Number.isSafeInteger(Number(x))),
      fc.constantFrom(0, -0, 1, -1, 63, 64, 2 ** 53, 5e-324),
    ),
    boolean: fc.boolean(),
    string: fc.string(),
  };
  /** Texts of expressions: mostly well formed, of any kind. */
  const text: fc.Arbitrary<string> = fc.letrec<{ part: string }>((tie) => {
    const part = tie('part');
    const names = [...functions.keys(), ...memoryFunctions.keys(), 'lookup', 'tag'];
    return {
      part: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom(
          'n',
          'm',
          'b',
          's',
          'tag("Count/Total")',
          'tag("s")',
          '1',
          '0',
          '2.5',
          '64',
          '18446744073709551615',
          'true',
          '"1"',
          "'x'",
        ),
        fc.tuple(fc.constantFrom(...operators.keys(), '&&', '||'), part, part).map(([operator, a, b]) => `(${a} ${operator} ${b})`),
        fc.tuple(fc.constantFrom(...unaryOperators.keys()), part).map(([operator, a]) => `${operator}${a}`),
        fc.tuple(fc.constantFrom(...names), fc.array(part, { maxLength: 3 })).map(([name, args]) => `${name}(${args.join(', ')})`),
        fc.tuple(part, part, part).map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
      ),
    };
  }).part;
  const inputs = fc.record({
    n: scalarOf.number,
    m: scalarOf.number,
    b: scalarOf.boolean,
    s: scalarOf.string,
    'Count/Total': scalarOf.number,
  });

  it('never throws and gives the kind that was promised, or nothing', () => {
    let passed = 0;
    fc.assert(
      fc.property(text, fc.array(inputs, { minLength: 1, maxLength: 5 }), (source, steps) => {
        const result = compileExpression(source, surroundings);
        if ('problem' in result) return;
        passed++;
        const { program } = result;
        const evaluation = createEvaluation(program, true);
        for (const step of steps) {
          const found = evaluation.step(program.inputs.map((name) => step[name as keyof typeof step]));
          if (found === undefined) continue;
          expect(kindOf(found)).toBe(program.kind);
          if (typeof found === 'number') expect(Number.isFinite(found)).toBe(true);
          if (typeof found === 'string') expect(found.length).toBeLessThanOrEqual(4096);
        }
      }),
      { numRuns: 1000 },
    );
    expect(passed).toBeGreaterThan(50);
  });

  it('is no garbage: any text is refused or compiled, never a crash', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'nmbs01."\'()[]{}+-*/%<>=!&|^~?:,;\\ ') })), (source) => {
        expect(typeof compileExpression(source, surroundings)).toBe('object');
      }),
      { numRuns: 2000 },
    );
  });
});
