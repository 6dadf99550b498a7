import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRequest } from './export.ts';

const folder = mkdtempSync(join(tmpdir(), 'nhip-export-'));
afterAll(() => rmSync(folder, { recursive: true }));
const nowMs = Date.UTC(2026, 10, 22);

function request(flags: Readonly<Record<string, string>>) {
  const all: Readonly<Record<string, string>> = { out: join(folder, 'x.csv'), ...flags };
  return readRequest({ text: ((name: string) => all[name]) as never, positionals: [] }, nowMs).query;
}

describe('what nhip export is asked for', () => {
  it('is from a time with its zone, or from midnight UTC of a date, until now', () => {
    expect(request({ from: '2026-11-20T06:00+07:00' })).toMatchObject({ fromMs: Date.UTC(2026, 10, 19, 23), toMs: nowMs, format: 'csv' });
    expect(request({ from: '2026-11-01', to: '2026-11-02' })).toMatchObject({ fromMs: Date.UTC(2026, 10, 1), toMs: Date.UTC(2026, 10, 2) });
  });

  it('is never guessed: a date in the order of Vietnam or of America, a time without its zone', () => {
    for (const from of ['01/11/2026', '11-20-2026', '2026-11-20T06:00', 'yesterday']) {
      expect(() => request({ from }), from).toThrow(`--from "${from}" is neither a date like`);
    }
  });
});
