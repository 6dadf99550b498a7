import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlantModel } from '@nhip/core/wire/plant';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { plantModel } from '@nhip/simulators/plants/plant-model';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { generatedFiles } from './generated-files.ts';
import { jsonText } from './json-text.ts';
import { plantLines } from './plant-lines.ts';

const folder = join(import.meta.dirname, 'generated');
const files = generatedFiles({ nhipUrl: 'http://localhost:8080' });

describe('generated files', () => {
  it('are current, and no other is there (npx tsx dashboards/grafana/generate.ts)', () => {
    const there = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(there.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort()).toEqual(
      files.map(([name]) => name).sort(),
    );
    for (const [name, text] of files) expect(readFileSync(join(folder, name), 'utf8'), name).toBe(text);
  });

  it('are JSON and YAML that say the same as what they were made from', () => {
    for (const [name, text] of files) expect(name.endsWith('.json') ? JSON.parse(text) : parse(text), name).toBeTypeOf('object');
    expect(JSON.parse(jsonText({ a: [1, 'x'], b: [], c: {}, d: [{ e: null }], f: undefined }))).toEqual({
      a: [1, 'x'],
      b: [],
      c: {},
      d: [{ e: null }],
    });
  });
});

describe('lines of a plant', () => {
  const options = (plant: PlantModel): readonly (readonly [string, RegExp])[] =>
    plantLines(plant)
      .query('vi')
      .split(/(?<!\\), /)
      .map((option) => {
        const [name = '', value = ''] = option.split(' : ');
        // As the variable's query has it.
        return [name, new RegExp(`(^|\\/)(${value})(\\/|$)`)] as const;
      });

  it('choose the machines of one line', () => {
    const model = plantModel(hoaLac);
    const all = Object.keys(model.machines);
    const found = options(model);
    expect(found.map(([name]) => name)).toEqual(model.lines.map(({ name }) => name.vi));
    expect(found.map(([, pattern]) => all.filter((machine) => pattern.test(machine)))).toEqual(
      model.lines.map(({ machines }) => all.filter((machine) => machines.includes(machine))),
    );
  });

  it('may have names with a comma, a colon or a sign of regular expressions', () => {
    const model = plantModel(hoaLac);
    const odd = { id: 'x', name: { vi: 'Ép, sơn : A', en: 'x' }, machines: ['g/e/a+b(1)', 'g/e/c,d'] };
    const [[name, pattern] = ['', /^$/]] = options({ ...model, lines: [odd] });
    expect(name).toBe('Ép\\, sơn – A');
    expect(odd.machines.every((machine) => pattern.test(machine))).toBe(true);
    expect(pattern.test('g/e/aab(1)')).toBe(false);
  });
});
