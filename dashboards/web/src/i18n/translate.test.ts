import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kpiEn } from '../kpi/kpi-en.ts';
import { kpiVi } from '../kpi/kpi-vi.ts';
import { pathEn } from '../pipeline/path-en.ts';
import { pathVi } from '../pipeline/path-vi.ts';
import { sharingEn } from '../sharing/sharing-en.ts';
import { sharingVi } from '../sharing/sharing-vi.ts';
import { stopsEn } from '../stops/stops-en.ts';
import { stopsVi } from '../stops/stops-vi.ts';
import { codeWords } from './code-words.ts';
import { en } from './en.ts';
import { createFormat, searchable } from './format.ts';
import { translate } from './translate.ts';
import { vi } from './vi.ts';

const names = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? ''))].sort();

describe('dictionaries', () => {
  it.each([
    ['board', vi, en],
    ['data path', pathVi, pathEn],
    ['figures', kpiVi, kpiEn],
    ['stops', stopsVi, stopsEn],
    ['what leaves', sharingVi, sharingEn],
  ] as const)('of the %s name the same parameters in both languages and have no empty text', (_, vietnamese, english) => {
    const texts: Readonly<Record<string, string>> = english;
    expect(Object.keys(texts).sort()).toEqual(Object.keys(vietnamese).sort());
    for (const [key, text] of Object.entries(vietnamese)) {
      expect([key, names(texts[key] ?? '')]).toEqual([key, names(text)]);
      expect([key, text.trim() === '', texts[key]?.trim() === '']).toEqual([key, false, false]);
    }
  });
});

describe('translate', () => {
  it('fills parameters in and picks the English form by number', () => {
    expect(translate('en', 'tile.alarms', { n: 1 })).toBe('1 alarm');
    expect(translate('en', 'tile.alarms', { n: 3 })).toBe('3 alarms');
    expect(translate('vi', 'tile.alarms', { n: 3 })).toBe('3 cảnh báo');
  });
});

describe('components', () => {
  it('contain no literal text: every word comes from a dictionary', () => {
    const files = readdirSync(new URL('..', import.meta.url), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.svelte'),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
      const markup = source.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>|<!--[\s\S]*?-->/g, '');
      const words = withoutTags(withoutBraces(markup)).match(/\p{L}{2,}/gu) ?? [];
      expect([file, words.filter((word) => word !== 'Nhịp' && word !== 'kW')]).toEqual([file, []]);
    }
  });
});

describe('createFormat', () => {
  const [viet, english] = [createFormat('vi', 'Asia/Ho_Chi_Minh'), createFormat('en', 'Asia/Ho_Chi_Minh')];
  const noon = Date.UTC(2026, 10, 21, 5, 4, 3);

  it('writes numbers as the language does', () => {
    expect(viet.int(1_234_567)).toBe('1.234.567');
    expect(viet.decimal(71.456)).toBe('71,46');
    expect(english.decimal(0.12345)).toBe('0.123');
    expect(viet.power(8.25)).toBe('8,3');
    expect(viet.power(184.4)).toBe('184');
  });

  it('writes shares without rounding something to nothing or to all', () => {
    expect([1, 0.9999999, 0.9997, 0.985, 0.5].map(viet.share)).toEqual(['100 %', '> 99,99 %', '99,97 %', '98,5 %', '50 %']);
    expect([0, 0.0000001, 0.0007, 0.0015].map(viet.share)).toEqual(['0 %', '< 0,01 %', '0,07 %', '0,2 %']);
  });

  it('writes sizes', () => {
    expect([0, 999, 1000, 12_345_678, 2_000_000_000, 4e15].map(english.bytes)).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '12 MB',
      '2 GB',
      '4,000 TB',
    ]);
    expect(viet.bytes(1_240_000_000)).toBe('1,2 GB');
  });

  it('writes times in the time zone of the plant, with the whole year', () => {
    expect(viet.time(noon)).toBe('12:04');
    expect(viet.dateTime(noon)).toBe('21/11/2026 12:04:03');
    expect(createFormat('en', 'Nowhere/Land').time(noon)).toBe('12:04');
    expect(viet.moment(noon, noon + 1000)).toBe('12:04:03');
    expect(viet.moment(noon, noon + 86_400_000)).toBe('21/11/2026 12:04:03');
  });

  it('writes lengths', () => {
    expect(viet.clock(378_000)).toBe('06:18');
    expect(viet.clock(4_364_000)).toBe('1:12:44');
    expect(viet.clock(2 * 86_400_000 + 3 * 3_600_000)).toBe('2 ngày 3 giờ');
    expect(viet.clock(-5)).toBe('00:00');
    expect(english.length(45_000)).toBe('45 s');
    expect(english.length(11_100_000)).toBe('3 h 5 min');
  });
});

describe('codeWords', () => {
  const names = { partStuck: { vi: 'Kẹt sản phẩm', en: 'Part stuck in mould' } };

  it('names codes, and leaves what people wrote', () => {
    expect(codeWords('partStuck', names, 'vi')).toBe('Kẹt sản phẩm');
    expect(codeWords('PartStuck', names, 'en')).toBe('Part stuck in mould');
    expect(codeWords('PressureLow', names, 'en')).toBe('Pressure low');
    expect(codeWords('Thiếu liệu từ CNC-02', undefined, 'vi')).toBe('Thiếu liệu từ CNC-02');
    expect(codeWords('E42', undefined, 'vi')).toBe('E42');
  });
});

describe('searchable', () => {
  it('finds Vietnamese words typed without accents', () => {
    expect(searchable('Máy Đập')).toBe('may dap');
  });
});

function withoutBraces(text: string): string {
  let [depth, kept] = [0, ''];
  for (const letter of text) {
    if (letter === '{') depth += 1;
    if (depth === 0) kept += letter;
    if (letter === '}') depth -= 1;
  }
  return kept;
}

function withoutTags(text: string): string {
  return text.replace(/<[^>]*>/g, ' ');
}
