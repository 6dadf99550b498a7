import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installRoot } from '../folders.ts';
import { metricsReference } from './reference.ts';

describe('docs/reference/metrics.md', () => {
  it('says what the code says (npm run gen)', () => {
    expect(readFileSync(join(installRoot, 'docs/reference/metrics.md'), 'utf8')).toBe(metricsReference());
  });

  it('has each metric once, and no metric without a meaning', () => {
    const names = [...metricsReference().matchAll(/^\| `([a-z_]+_[a-z_]+)` \| (?:counter|gauge) \| .+ \| .+ \|$/gm)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(70);
    expect(new Set(names).size).toBe(names.length);
  });
});
