import type { EdgeHealth, PipelineStats } from '@nhip/core/wire/live';
import { describe, expect, it } from 'vitest';
import { createFormat } from '../i18n/format.ts';
import { shortList, stationText } from './station-words.ts';
import { stationNames, stationsOf } from './stations.ts';
import { verdictOf } from './verdict.ts';

const nowMs = Date.UTC(2026, 10, 21, 5);
const format = createFormat('vi', 'Asia/Ho_Chi_Minh');
const full = { stored: 1000, lost: 0, deadLettered: 0, completeness: 1 };

const fineStats: PipelineStats = {
  ...{ received: 10, stored: 10, repeated: 0, evicted: 0, lagMs: 50, lost: 0, lostByReason: {}, deadLettered: 0, deadLetteredByReason: {} },
  ...{ logBytes: 12_000_000, logQuotaBytes: 2_000_000_000, logRecordsBehind: 3, storeDownSinceMs: null, logFullSinceMs: null },
  ...{ storeProblem: null, furtherStores: [] },
};
const edge = (change: Partial<EdgeHealth> = {}): EdgeHealth => ({
  ...{ id: 'g/e', online: true, since: nowMs - 3_600_000, lastSeen: nowMs, lagMs: 5, outboxRecords: 12, backlogAtMs: null },
  ...{ devices: [{ id: 'g/e/M1', connection: 'online' }], delivery24h: full, lastLoss: null },
  ...change,
});

function look(stats: Partial<PipelineStats> | null, edges: readonly EdgeHealth[] | null) {
  const all = stats === null ? null : { ...fineStats, ...stats };
  const stations = stationsOf(all, edges, 'live', nowMs);
  const facts = { stats: all, edges, link: 'live', nowMs, storedPerSecond: 20, nameOf: (id: string) => id } as const;
  return {
    states: stations.map(({ state }) => state),
    texts: Object.fromEntries(stations.map((station) => [station.name, stationText(station, facts, 'vi', format)])),
    verdict: verdictOf({ stations, edges, losses: null, nowMs }, 'vi', format),
  };
}

describe('the data path', () => {
  it('is fine in one sentence', () => {
    const { states, texts, verdict } = look({}, [edge()]);
    expect(states).toEqual(stationNames.map(() => 'fine'));
    expect(verdict).toEqual({ state: 'fine', sentence: 'Mọi số liệu đều tới nơi: 24 giờ qua không thiếu mẫu nào.' });
    expect(texts.edges).toEqual({ lines: ['Đang chờ gửi: 12 mẫu'], help: null });
    expect(texts.log?.lines).toEqual(['Đang chờ lưu: 3 bản tin', '12 MB trên tối đa 2 GB']);
    expect(texts.store?.lines).toEqual(['Đang lưu 20 mẫu/giây']);
  });

  it('sends nobody to the cables while a server certificate waits for a decision', () => {
    const away = { devices: [{ id: 'g/e/M1', connection: 'plcUnreachable' as const }] };
    expect(look({}, [edge(away)]).texts.machines?.help).toContain('Không đọc được: g/e/M1. Kiểm tra nguồn');
    const waits = look({}, [edge({ ...away, certificatesWaiting: 2 }), edge({ id: 'g/f', certificatesWaiting: 5, devices: [] })]);
    expect(waits.texts.machines?.help).toContain('2 chứng thư OPC UA chờ quyết định');
  });

  it('tells depth and age of a backlog', () => {
    const { states, texts, verdict } = look({}, [
      edge({ outboxRecords: 1240, backlogAtMs: nowMs - 180_000 }),
      edge({ id: 'g/f', outboxRecords: 0 }),
    ]);
    expect(states).toEqual(['fine', 'waiting', 'fine', 'fine', 'fine']);
    expect(texts.edges?.lines).toEqual(['Đang chờ gửi: 1.240 mẫu, cũ nhất 3 ph']);
    expect(verdict).toMatchObject({ state: 'waiting', sentence: 'Số liệu đang tới chậm và tự bắt kịp. 24 giờ qua chưa mất gì.' });
  });

  it('does not say that nothing is lost while something catches up, when something was', () => {
    const lost = { stored: 1, lost: 1240, deadLettered: 0, completeness: 0.1 };
    const backlog = { outboxRecords: 9, backlogAtMs: nowMs - 180_000 };
    expect(look({}, [edge({ ...backlog, delivery24h: lost })]).verdict.sentence).toMatch(/tự bắt kịp\. 24 giờ qua đã mất 1\.240 mẫu\.$/);
    expect(look({}, [edge({ ...backlog, lastLoss: { reason: 'agentDown', samples: 0, atMs: nowMs } })]).verdict.sentence).toMatch(
      /tự bắt kịp\.$/,
    );
    expect(look({}, [edge({ ...backlog, delivery24h: null })]).verdict.sentence).toMatch(/tự bắt kịp\.$/);
  });

  it('waits for an agent that restarts and calls for help when it stays away', () => {
    const away = (sinceMs: number) => edge({ online: false, since: nowMs - sinceMs, lastSeen: nowMs - sinceMs });
    expect(look({}, [away(30_000)]).states[1]).toBe('waiting');
    const { states, texts, verdict } = look({}, [away(600_000), edge({ id: 'g/f' })]);
    expect(states[1]).toBe('trouble');
    expect(texts.edges?.help).toContain('Mất liên lạc: g/e.');
    expect(texts.edges?.lines[0]).toContain('cũ nhất 10 ph');
    expect(verdict.sentence).toContain('1 bộ thu đang mất liên lạc');
  });

  it('names machines that cannot be read', () => {
    const devices = [
      { id: 'g/e/M1', connection: 'online' },
      { id: 'g/e/M2', connection: 'plcUnreachable' },
    ] as const;
    const { states, texts } = look({}, [edge({ devices })]);
    expect(states[0]).toBe('trouble');
    expect(texts.machines?.lines).toEqual(['Đọc được 1/2 thiết bị']);
    expect(texts.machines?.help).toContain('g/e/M2');
  });

  it('says where the data is while the store is down, and that nothing is lost', () => {
    const { states, texts, verdict } = look({ storeDownSinceMs: nowMs - 240_000, lagMs: 240_000, logRecordsBehind: 48_000 }, [edge()]);
    expect(states).toEqual(['fine', 'fine', 'waiting', 'trouble', 'fine']);
    expect(texts.log?.lines[0]).toBe('Đang chờ lưu: 48.000 bản tin, cũ nhất 4 ph');
    expect(texts.store?.help).toContain('nhip doctor');
    expect(verdict).toMatchObject({ state: 'trouble', sentence: expect.stringMatching(/4 ph không nhận số liệu.*chưa mất gì/) });
  });

  it('puts the full log before everything else', () => {
    const { states, verdict } = look({ storeDownSinceMs: nowMs - 9e6, logFullSinceMs: nowMs - 60_000, lagMs: 9e6 }, [
      edge({ online: false }),
    ]);
    expect(states[2]).toBe('trouble');
    expect(verdict.sentence).toContain('Nhật ký máy chủ đã đầy 1 ph');
  });

  it('does not call the past complete before it is counted, nor when something is missing', () => {
    expect(look({}, [edge(), edge({ id: 'g/f', delivery24h: null })]).verdict.sentence).toContain('Đang đếm');
    const lost = { stored: 1, lost: 1240, deadLettered: 2, completeness: 0.1 };
    expect(look({}, [edge({ delivery24h: lost })]).verdict).toEqual({
      state: 'missing',
      sentence: 'Mọi chặng đang chạy tốt, nhưng 24 giờ qua đã mất 1.240 mẫu.',
    });
    const rejected = { stored: 1, lost: 0, deadLettered: 2, completeness: 0.3 };
    expect(look({}, [edge({ delivery24h: rejected })]).verdict.sentence).toContain('2 mẫu không lưu được');
  });

  it('does not call the day complete when something may be lost that nobody can count', () => {
    const lastLoss = { reason: 'agentDown', samples: 0, atMs: nowMs - 3_600_000 } as const;
    expect(look({}, [edge({ lastLoss })]).verdict).toEqual({ state: 'missing', sentence: expect.stringContaining('không rõ bao nhiêu') });
    expect(look({}, [edge({ lastLoss: { ...lastLoss, atMs: nowMs - 25 * 3_600_000 } })]).verdict.state).toBe('fine');
  });

  it('does not claim what it does not know yet', () => {
    const { states, verdict } = look(null, null);
    expect(states).toEqual(['unknown', 'unknown', 'unknown', 'unknown', 'fine']);
    expect(verdict.state).toBe('unknown');
  });

  it('keeps lists of names short', () => {
    expect(shortList(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c, +2');
    expect(shortList([])).toBe('');
  });
});
