import { describe, expect, it } from 'vitest';
import { sabotagedSource } from './plugin.ts';
import { sabotages } from './sabotage.ts';

describe('the list of sabotages', () => {
  it('has sixteen, each with a name of its own', () => {
    expect(new Set(sabotages.map(({ name }) => name)).size).toBe(16);
  });

  it.each(sabotages)('$name: applies to the source as it is, in one place', (sabotage) => {
    expect(sabotagedSource(sabotage)).toContain(sabotage.replace);
  });

  it('says so when a text is not there any more', () => {
    const [sabotage] = sabotages;
    if (sabotage === undefined) throw new Error('there are sabotages');
    expect(() => sabotagedSource({ ...sabotage, find: 'no such text' })).toThrow('bring the list up to date');
  });
});
