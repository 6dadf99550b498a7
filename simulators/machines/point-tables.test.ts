import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { pointTables } from './point-tables.ts';

it('the README lists every point as it is (replace its last part by what is expected here)', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme.slice(readme.indexOf('### '))).toBe(`${pointTables()}\n`);
});
