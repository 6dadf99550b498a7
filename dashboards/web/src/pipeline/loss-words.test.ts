import type { Completeness, CompletenessRow } from '@nhip/core/wire/live';
import { type Loss, lossReasons } from '@nhip/core/wire/loss';
import { describe, expect, it } from 'vitest';
import { createFormat } from '../i18n/format.ts';
import { hourLines, last24Hours, levelOf } from './hours.ts';
import { deadLetterCounts, lossEvents } from './loss-events.ts';
import { deadLetterWords, eventTitle, missingLine, reasonAdvice, reasonWords, spanWords } from './loss-words.ts';

const nowMs = Date.UTC(2026, 10, 21, 5, 30);
const hourMs = 3_600_000;
const format = createFormat('vi', 'Asia/Ho_Chi_Minh');
const loss = (change: Partial<Loss>): Loss => ({
  ...{ edge: 'g/e', machine: 'g/e/M1', metric: 'Temp', reason: 'outboxQuota', detail: '', samples: 10, stream: '', seqFrom: 0, seqTo: 0 },
  ...{ fromMs: nowMs - hourMs, toMs: nowMs - hourMs + 60_000, atMs: nowMs },
  ...change,
});

describe('loss events', () => {
  it('put the rows of one event together, whatever lies between them', () => {
    const events = lossEvents([
      loss({ samples: 5, atMs: nowMs, metric: 'A' }),
      loss({ reason: 'outboxFull', edge: 'g/f', samples: 7, atMs: nowMs - 1 }),
      loss({ samples: 6, atMs: nowMs - 60_000, metric: 'B', fromMs: nowMs - 2 * hourMs }),
      loss({ samples: 1, atMs: nowMs - 8 * 60_000, metric: '', machine: '' }),
      loss({ reason: 'deadLettered', atMs: nowMs - 8 * 60_000 }),
      loss({ samples: 9, atMs: nowMs - 30 * 60_000, machine: 'g/e/M2' }),
    ]);
    expect(events.map(({ edge, samples }) => [edge, samples])).toEqual([
      ['g/e', 12],
      ['g/f', 7],
      ['g/e', 9],
    ]);
    expect(events[0]).toMatchObject({ fromMs: nowMs - 2 * hourMs, machines: ['g/e/M1'], metrics: 2, atMs: nowMs });
  });

  it('say how many, or that nobody knows', () => {
    const [known] = lossEvents([loss({ samples: 1240 })]);
    const [uncounted] = lossEvents([loss({ samples: 0, reason: 'agentDown', machine: '', metric: '' })]);
    const [unknown] = lossEvents([loss({ edge: '', samples: 0, reason: 'logGone' })]);
    if (known === undefined || uncounted === undefined || unknown === undefined) throw new Error('an event is missing');
    expect(eventTitle('vi', format, known)).toBe('g/e: mất 1.240 mẫu');
    expect(eventTitle('vi', format, uncounted)).toBe('g/e: có thể mất số liệu, không rõ bao nhiêu');
    expect(eventTitle('en', format, unknown)).toBe('Edge agent not known: data may be lost, nobody knows how much');
    expect(spanWords(format, known, nowMs)).toBe('11:30:00 – 11:31:00 (1 ph)');
    expect(spanWords(format, { fromMs: nowMs, toMs: nowMs }, nowMs)).toBe('12:30:00');
  });

  it('have words and advice for every reason, in both languages', () => {
    for (const reason of lossReasons) {
      for (const language of ['vi', 'en'] as const) {
        expect(reasonWords(language, reason).length).toBeGreaterThan(10);
        expect(reasonAdvice(language, reason).length).toBeGreaterThan(10);
      }
    }
  });
});

describe('dead letters', () => {
  it('are counted by reason, without those that were replayed', () => {
    const dead = (detail: string, samples: number, atMs = nowMs) => loss({ reason: 'deadLettered', detail, samples, atMs });
    expect(
      deadLetterCounts([
        dead('notANumber', 2),
        dead('unknownMetric', 5, nowMs - 5),
        dead('unknownMetric', 1),
        dead('beforeBirth', 4),
        dead('beforeBirth', -4),
        loss({}),
      ]),
    ).toEqual([
      { detail: 'unknownMetric', samples: 6, lastAtMs: nowMs },
      { detail: 'notANumber', samples: 2, lastAtMs: nowMs },
    ]);
    expect(deadLetterWords('en', 'notANumber')).toBe('The value is no number (NaN, infinity)');
    expect(deadLetterWords('vi', 'somethingNew')).toBe('somethingNew');
  });
});

describe('completeness in words', () => {
  const found = (change: Partial<Completeness>): Completeness => ({
    ...{ rows: [], reasons: [], unattributed: 0, totals: { stored: 100, lost: 0, deadLettered: 0, completeness: 1 } },
    ...change,
  });

  it('is silent when nothing is missing', () => {
    expect(missingLine('vi', format, found({}))).toBeNull();
    expect(missingLine('vi', format, found({ totals: { stored: 0, lost: 0, deadLettered: 0, completeness: null } }))).toBeNull();
  });

  it('tells how many, which share and why', () => {
    const totals = { stored: 11_988, lost: 9, deadLettered: 3, completeness: 0.999 };
    const reasons = [
      { reason: 'outboxQuota', samples: 9 },
      { reason: 'deadLettered', samples: 3 },
    ] as const;
    expect(missingLine('vi', format, found({ totals, reasons }))).toBe(
      'Thiếu 12 mẫu (0,1 %) trong khoảng này, lý do: đĩa của bộ thu dùng hết hạn mức, mẫu cũ nhất bị bỏ (9), bị loại nhưng còn giữ lại (3).',
    );
    expect(missingLine('en', createFormat('en', 'UTC'), found({ totals }))).toBe('12 samples (0.1 %) of this range are missing.');
  });

  it('does not hide what nobody can attribute', () => {
    expect(missingLine('en', format, found({ unattributed: 7 }))).toContain('7 more samples');
  });
});

describe('hours', () => {
  const row = (metric: string, hoursAgo: number, stored: number, lost: number): CompletenessRow => ({
    ...{ metric, t: toMs - hoursAgo * hourMs, stored, lost, deadLettered: 0 },
    completeness: stored / (stored + lost),
  });
  const { fromMs, toMs } = last24Hours(nowMs);

  it('cover the running hour and the 23 before it', () => {
    expect(toMs - fromMs).toBe(24 * hourMs);
    expect(toMs - nowMs).toBe(30 * 60_000);
  });

  it('show the machine, then the metrics with something missing, each with all hours', () => {
    const { all, metrics } = hourLines([row('A', 1, 100, 0), row('B', 1, 80, 20), row('B', 2, 100, 0), row('', 3, 0, 5)], fromMs, toMs);
    expect(metrics.map(({ metric }) => metric)).toEqual(['B', '', 'A']);
    expect(all).toMatchObject({ stored: 280, lost: 25, metric: null });
    expect(all.cells.map(({ level }) => level).slice(-4)).toEqual(['none', 'much', 'full', 'some']);
    expect(metrics.every(({ cells }) => cells.length === 24)).toBe(true);
  });

  it('have four levels', () => {
    expect([null, 1, 0.9999, 0.9, 0.5, 0].map(levelOf)).toEqual(['none', 'full', 'some', 'some', 'much', 'much']);
  });
});
