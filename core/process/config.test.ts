import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from './config.ts';
import { ConfigError } from './errors.ts';

const schema = z.strictObject({ port: z.int().min(1), name: z.string(), items: z.array(z.strictObject({ id: z.string() })).default([]) });

function problemsOf(text: string, env = {}): readonly string[] {
  try {
    parseConfig(schema, text, 'a.yaml', env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  throw new Error('no error');
}

describe('config', () => {
  it('lists every problem at once with its path', () => {
    const problems = problemsOf('port: 0\nnmae: x\nitems: [{ id: 1 }, { id: a, b: 2 }]');
    expect(problems).toHaveLength(5);
    expect(problems.join('\n')).toMatch(
      /port: .*>=1[\s\S]*name: .*string[\s\S]*items\[0\]\.id: [\s\S]*items\[1\]\.b: unknown key[\s\S]*nmae: unknown key/,
    );
  });

  it('says that a choice is missing, not that it is a wrong one', () => {
    const choice = z.strictObject({ mode: z.enum(['a', 'b']), items: z.array(z.strictObject({ kind: z.literal('x') })) });
    const problems = (text: string) => {
      try {
        return parseConfig(choice, text, 'a.yaml', {});
      } catch (error) {
        return (error as ConfigError).problems;
      }
    };
    expect(problems('items: [{}]')).toEqual(['mode: is missing; expected a or b', 'items[0].kind: is missing; expected x']);
    expect(problems('mode: c\nitems: []')).toEqual([expect.stringContaining('mode: Invalid option')]);
  });

  // The placeholders are for the config loader, not for TypeScript.
  const who = '$' + '{WHO}';

  it('fills in environment variables and names those that are missing', () => {
    expect(parseConfig(schema, `port: 1\nname: "a ${who}"`, 'a.yaml', { WHO: 'b' })).toEqual({ port: 1, name: 'a b', items: [] });
    expect(problemsOf(`port: 1\nname: ${who}`)).toEqual(['name: environment variable WHO is not set']);
  });

  it('refuses broken YAML, doubled keys and alias bombs in one sentence each', () => {
    expect(problemsOf('port: [1')[0]).toMatch(/line 1/);
    expect(problemsOf('port: 1\nport: 2')[0]).toMatch(/unique/i);
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
    ].join('\n');
    expect(problemsOf(bomb)[0]).toMatch(/alias/i);
  });

  it('freezes what it returns', () => {
    const config = parseConfig(schema, 'port: 1\nname: x\nitems: [{ id: a }]', 'a.yaml', {});
    expect(Object.isFrozen(config.items[0])).toBe(true);
  });
});
