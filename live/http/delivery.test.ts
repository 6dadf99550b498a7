import type { Completeness, EdgeHealth } from '@nhip/core/wire/live';
import type { Loss } from '@nhip/core/wire/loss';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lathe, press } from '../testing/plant.ts';
import { type HistorySample, lossOf, type Rig, startRig } from '../testing/rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Begin of the hour three hours ago. */
const startMs = (Math.floor(Date.now() / hourMs) - 3) * hourMs;
const atMs = startMs + 2 * hourMs;

const history: readonly HistorySample[] = Array.from({ length: 90 }, (_, i) => [press, 'Temp', startMs + i * minuteMs, i]);
const losses: readonly Loss[] = [
  lossOf({ metric: 'Temp', samples: 9, fromMs: startMs + hourMs + 40 * minuteMs, toMs: startMs + hourMs + 48 * minuteMs, atMs }),
  lossOf({ metric: '', samples: 5, reason: 'outboxDamaged', fromMs: startMs, toMs: startMs + 1, atMs: atMs + 1 }),
  lossOf({ metric: 'Temp', samples: 1, reason: 'deadLettered', detail: '=notANumber', fromMs: startMs, toMs: startMs, atMs: atMs + 2 }),
  lossOf({ machine: '', metric: '', samples: 4, reason: 'outboxReplaced', fromMs: startMs, toMs: startMs, atMs: atMs + 3 }),
  lossOf({ edge: 'other/edge', machine: 'other/edge/M1', samples: 70, fromMs: startMs, toMs: startMs, atMs: atMs + 4 }),
  lossOf({ metric: 'Temp', samples: 1000, fromMs: startMs - 20 * 24 * hourMs, atMs: startMs - 20 * 24 * hourMs }),
];

let rig: Rig;
let cookie: string;
beforeAll(async () => {
  rig = await startRig({ history, losses });
  cookie = await rig.login();
});
afterAll(() => rig.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${rig.url}${path}`, { headers: { cookie, ...headers } });
const json = async <Answer>(path: string): Promise<Answer> => (await (await get(path)).json()) as Answer;
const detail = async (path: string): Promise<unknown> => {
  const response = await get(path);
  return [response.status, ((await response.json()) as { detail: string }).detail];
};
const completenessOf = (machine: string, rest = '') =>
  `/api/v1/completeness?machine=${encodeURIComponent(machine)}&from=${startMs}&to=${startMs + 2 * hourMs}${rest}`;

describe('losses', () => {
  const read = async (query: string) => (await json<{ losses: Loss[] }>(`/api/v1/losses${query}`)).losses;

  it('come newest first, of a week, of all edges or one', async () => {
    expect((await read('')).map(({ samples }) => samples)).toEqual([70, 4, 1, 5, 9]);
    expect((await read('?edge=other%2Fedge'))[0]).toEqual(losses[4]);
    expect((await read('?edge=hoalac%2Fpress&limit=1')).map(({ reason }) => reason)).toEqual(['outboxReplaced']);
    expect((await read(`?from=${atMs + 1}&to=${atMs + 3}`)).map(({ samples }) => samples)).toEqual([1, 5]);
    expect(await read('?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z')).toEqual([]);
  });

  it('come as CSV', async () => {
    const response = await get('/api/v1/losses?edge=hoalac%2Fpress&sep=;', { accept: 'text/csv' });
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="hoalac-press_losses.csv"');
    const lines = (await response.text()).split('\r\n');
    expect(lines[0]).toBe('reported;edge;machine;metric;reason;detail;samples;from;to;stream;seqFrom;seqTo');
    expect(lines[2]).toContain(`;${press};Temp;deadLettered;'=notANumber;1;`);
  });

  it('refuse what makes no sense, with what to do', async () => {
    expect(await detail('/api/v1/losses?limit=0')).toEqual([400, expect.stringContaining('1 to 10000')]);
    expect(await detail('/api/v1/losses?from=2020-01-01T00:00:00Z')).toEqual([400, expect.stringContaining('at most 400 days')]);
    expect(await detail('/api/v1/losses?edg=x')).toEqual([400, expect.stringContaining('edg')]);
    expect((await fetch(`${rig.url}/api/v1/losses`)).status).toBe(401);
  });
});

describe('completeness', () => {
  it('is told per metric and hour, what nobody knows in a row of its own', async () => {
    const found = await json<Completeness>(completenessOf(press));
    expect(found.rows).toEqual([
      { metric: '', t: startMs, stored: 0, lost: 5, deadLettered: 0, completeness: 0 },
      { metric: 'Temp', t: startMs, stored: 60, lost: 0, deadLettered: 1, completeness: 60 / 61 },
      { metric: 'Temp', t: startMs + hourMs, stored: 30, lost: 9, deadLettered: 0, completeness: 30 / 39 },
    ]);
    expect(found.totals).toEqual({ stored: 90, lost: 14, deadLettered: 1, completeness: 90 / 105 });
    expect(found.reasons).toEqual([
      { reason: 'outboxQuota', samples: 9 },
      { reason: 'outboxDamaged', samples: 5 },
      { reason: 'deadLettered', samples: 1 },
    ]);
    expect(found.unattributed).toBe(4);
  });

  it('is null for a machine that produced nothing', async () => {
    expect(await json(completenessOf(lathe))).toEqual({
      rows: [],
      totals: { stored: 0, lost: 0, deadLettered: 0, completeness: null },
      reasons: [],
      unattributed: 4,
      next: null,
    });
  });

  it('comes in pages, each with the totals of all', async () => {
    const whole = await json<Completeness>(completenessOf(press));
    const rows: Completeness['rows'][number][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path = completenessOf(press, `&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page: Completeness & { next: string | null } = await json(path);
      expect(page.rows).toHaveLength(1);
      expect(page.totals).toEqual(whole.totals);
      rows.push(...page.rows);
      cursor = page.next;
    }
    expect(rows).toEqual(whole.rows);
    expect(await detail(completenessOf(press, '&limit=50001'))).toEqual([400, expect.stringContaining('1 to 50000')]);
    expect((await get(completenessOf(press, '&limit=1'), { accept: 'text/csv' })).headers.get('link')).toContain('rel="next"');
  });

  it('comes as CSV with a line for the total', async () => {
    const response = await get(completenessOf(press), { accept: 'text/csv' });
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="hoalac-press-M01_completeness.csv"');
    const lines = (await response.text()).trimEnd().split('\r\n');
    expect(lines[0]).toBe('\uFEFFhour,metric,stored,lost,deadLettered,completeness'.replace('\uFEFF', ''));
    expect(lines[1]).toBe(`${new Date(startMs).toISOString()},,0,5,0,0`);
    expect(lines.at(-1)).toBe(`total,,90,14,1,${90 / 105}`);
  });

  it('refuses what makes no sense, with what to do', async () => {
    expect(await detail(completenessOf('nobody'))).toEqual([404, expect.stringContaining('No machine')]);
    expect(await detail('/api/v1/completeness')).toEqual([400, expect.stringContaining('machine')]);
    expect(await detail(`/api/v1/completeness?machine=${encodeURIComponent(press)}&from=2020-01-01T00:00:00Z`)).toEqual([
      400,
      expect.stringContaining('at most 31 days'),
    ]);
    expect((await fetch(rig.url + completenessOf(press))).status).toBe(401);
    expect((await get(completenessOf(press), { accept: 'application/vnd.apache.parquet' })).status).toBe(406);
  });
});

describe('health', () => {
  it('tells how the data path stands', async () => {
    expect(await json('/api/v1/stats')).toMatchObject({
      lost: 7,
      lostByReason: { outboxQuota: 7 },
      deadLetteredByReason: { notANumber: 1 },
      logRecordsBehind: 6,
      storeDownSinceMs: null,
      storeProblem: null,
      furtherStores: [],
      logFullSinceMs: null,
    });
  });

  it('has figures for Prometheus that name the edge', async () => {
    await expect
      .poll(async () => (await get('/metrics')).text())
      .toContain('nhip_edge_lost_samples_total{edge="other/edge",reason="outboxQuota"} 70\n');
  });

  it('has no edge without a session', async () => {
    expect((await json<{ edges: EdgeHealth[] }>('/api/v1/health/edges')).edges).toEqual([]);
  });
});
