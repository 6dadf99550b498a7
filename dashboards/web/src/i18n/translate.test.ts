import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codeWords } from './code-words.ts';
import { en } from './en.ts';
import { createFormat, searchable } from './format.ts';
import { translate } from './translate.ts';
import { type MessageKey, vi } from './vi.ts';

const names = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? ''))].sort();

describe('dictionaries', () => {
  it('name the same parameters in both languages', () => {
    for (const key of Object.keys(vi) as MessageKey[]) expect([key, names(en[key])]).toEqual([key, names(vi[key])]);
  });

  it('have no empty text', () => {
    for (const [key, text] of [...Object.entries(vi), ...Object.entries(en)]) expect([key, text.trim()]).not.toEqual([key, '']);
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
