import { describe, expect, it } from 'vitest';
import { type Command, listenFlags, parseInput } from './arguments.ts';

const command: Command = { name: 'x', summary: '', flags: listenFlags, run: async () => 0 };

function port(args: readonly string[], env: Record<string, string> = {}): number | undefined {
  return parseInput(command, args, env).port('http-port');
}

describe('ports', () => {
  it('come from the flag, then from the environment; an empty variable is none', () => {
    expect(port(['--http-port', '81'], { NHIP_HTTP_PORT: '82' })).toBe(81);
    expect(port([], { NHIP_HTTP_PORT: '82' })).toBe(82);
    expect(port([], { NHIP_HTTP_PORT: '' })).toBeUndefined();
  });

  it.each(['', ' ', '0x10', '1e3', '-1', '65536', '8080.5', 'abc'])('"%s" is none', (text) => {
    expect(() => port([`--http-port=${text}`])).toThrow('is not a port');
  });
});
