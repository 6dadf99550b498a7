import type { DowntimeEntry, DowntimeReasonView, DowntimeStop, KpiRow } from '@nhip/core/kpi/answers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addToken } from '../auth/token-file.ts';
import { statesOf } from '../testing/kpi-day.ts';
import { press } from '../testing/plant.ts';
import { type Rig, startRig } from '../testing/rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** 06:00 in the plant: shift A begins. */
const fromMs = Date.UTC(2025, 10, 19, 23, 0);
const toMs = fromMs + 8 * hourMs;
const first = fromMs + 60 * minuteMs;
const machineScope = `scope=${encodeURIComponent(`machine:${press}`)}&from=${fromMs}&to=${toMs}`;

let rig: Rig;
let operator: string;
beforeEach(async () => {
  const history = statesOf(press, fromMs - hourMs, toMs + 2 * hourMs, {
    ...{ 120: ['stopped', ''], 150: 'running', 200: ['fault', 'jam'], 210: ['idle', ''], 230: 'running' },
    ...{ 300: 'fault', 301: 'running', 400: ['setup', ''], 420: 'running' },
  });
  rig = await startRig({ config: { demo: true }, history });
  operator = await addToken(rig.dataDir, { name: 'ca-truong', scope: 'operate', expiresMs: null }, 0);
});
afterEach(() => rig.close());

async function get<Body>(path: string): Promise<Body> {
  const response = await fetch(rig.url + path);
  const body = await response.json();
  if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body as Body;
}

async function patch(id: string, body: unknown, token = operator) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${rig.url}/api/v1/downtime/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    headers,
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as { stops: DowntimeStop[]; detail: string } };
}

async function changed(id: string, body: unknown): Promise<readonly DowntimeStop[]> {
  await expect.poll(async () => (await patch('x@1', { action: 'split', atMs: 1 })).status).toBe(404);
  const answer = await patch(id, body);
  expect(answer.status, answer.body.detail).toBe(200);
  return answer.body.stops;
}

const stops = async (query = ''): Promise<readonly DowntimeStop[]> =>
  (await get<{ stops: DowntimeStop[] }>(`/api/v1/downtime?${machineScope}${query}`)).stops;
const row = async (): Promise<KpiRow> => (await get<{ rows: [KpiRow] }>(`/api/v1/kpi?${machineScope}`)).rows[0];

describe('GET /api/v1/downtime', () => {
  it('lists stops, newest first, by page, state and whether they are explained', async () => {
    const all = await stops();
    expect(
      all.map(({ from, to, state, reasonCode, isMicroStop }) => [
        (from - fromMs) / minuteMs,
        (Number(to) - fromMs) / minuteMs,
        state,
        reasonCode,
        isMicroStop,
      ]),
    ).toEqual([
      [340, 360, 'setup', 'setup_changeover', false],
      [240, 241, 'fault', 'unexplained', true],
      [150, 170, 'idle', 'unexplained', false],
      [140, 150, 'fault', 'other', false],
      [60, 90, 'stopped', 'unexplained', false],
    ]);
    expect((await stops('&unexplained=1')).map(({ from }) => (from - fromMs) / minuteMs)).toEqual([150, 60]);
    expect((await stops('&state=fault')).map(({ from }) => (from - fromMs) / minuteMs)).toEqual([240, 140]);
    const page = await get<{ stops: DowntimeStop[]; next: string }>(`/api/v1/downtime?${machineScope}&limit=2`);
    const rest = await get<{ stops: DowntimeStop[]; next: null }>(`/api/v1/downtime?${machineScope}&limit=10&cursor=${page.next}`);
    expect([...page.stops, ...rest.stops]).toEqual(all);
    expect(rest.next).toBeNull();
  });

  it('tells a stop as a whole, though the range holds a part of it', async () => {
    const query = `scope=${encodeURIComponent(`machine:${press}`)}&from=${fromMs + 75 * minuteMs}&to=${fromMs + 80 * minuteMs}`;
    const { stops: found } = await get<{ stops: DowntimeStop[] }>(`/api/v1/downtime?${query}`);
    expect(found).toMatchObject([{ id: `${press}@${first}`, from: first, to: first + 30 * minuteMs }]);
  });

  it('lists time without data where it is asked for, and not among the stops', async () => {
    const from = Date.now() - hourMs;
    const query = `scope=${encodeURIComponent(`machine:${press}`)}&from=${from}`;
    const { stops: silent } = await get<{ stops: DowntimeStop[] }>(`/api/v1/downtime?${query}&state=unknown`);
    expect(silent).toMatchObject([{ to: null, state: 'unknown', bucket: 'unknownPlanned' }]);
    expect((await get<{ stops: DowntimeStop[] }>(`/api/v1/downtime?${query}`)).stops).toEqual([]);
  });

  it('lists the standard reasons with their names', async () => {
    const { reasons } = await get<{ reasons: DowntimeReasonView[] }>('/api/v1/downtime-reasons');
    expect(reasons).toHaveLength(12);
    expect(reasons[0]).toEqual({ code: 'breakdown', kind: 'unplanned', name: { vi: 'Hỏng máy', en: 'Breakdown' }, plantCodes: [] });
  });
});

describe('PATCH /api/v1/downtime/{id}', () => {
  it('gives a reason; the figures and the history of the stop follow', async () => {
    const before = await row();
    const id = `${press}@${first}`;
    const [stop] = await changed(id, { action: 'reclassify', reason: 'planned_maintenance', note: 'Thay dầu' });
    expect(stop).toMatchObject({ id, state: 'maintenance', reason: 'planned_maintenance', kind: 'planned', bucket: 'plannedMaintenance' });
    const after = await row();
    expect(after.parts).toMatchObject({ pbtMs: before.parts.pbtMs - 30 * minuteMs, plannedMaintenanceMs: 30 * minuteMs });
    expect(after.fingerprint).not.toBe(before.fingerprint);

    const [entry] = stop?.corrections ?? [];
    await changed(id, { action: 'withdraw', correction: entry?.id });
    expect((await row()).parts).toEqual(before.parts);
    const { entries } = await get<{ entries: DowntimeEntry[] }>(`/api/v1/downtime/${encodeURIComponent(id)}/history`);
    expect(entries).toMatchObject([
      { kind: 'reclassify', by: 'ca-truong', note: 'Thay dầu', reason: 'planned_maintenance', isHeld: false },
      { kind: 'withdraw', by: 'ca-truong', replaces: entry?.id, isHeld: false },
    ]);
    expect(Math.abs((entries[0]?.atMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('splits a stop, explains a half, and makes one of two', async () => {
    const id = `${press}@${first}`;
    const halves = await changed(id, { action: 'split', atMs: first + 10 * minuteMs });
    expect(halves.map(({ from }) => (from - first) / minuteMs)).toEqual([0, 10]);
    await changed(halves[1]?.id ?? '', { action: 'reclassify', reason: 'grid_outage' });
    expect((await row()).downtime.grid_outage).toEqual({ ms: 20 * minuteMs, events: 1 });
    const whole = await changed(halves[1]?.id ?? '', { action: 'merge', with: id });
    expect(whole).toMatchObject([{ id, to: first + 30 * minuteMs, reason: 'grid_outage' }]);
    expect((await row()).downtime.grid_outage).toEqual({ ms: 30 * minuteMs, events: 1 });
  });

  it('refuses what makes no sense, and says why', async () => {
    const id = `${press}@${first}`;
    await changed(id, { action: 'reclassify', reason: 'no_order' });
    const refused = async (stop: string, body: unknown) => {
      const { status, body: problem } = await patch(stop, body);
      return [status, problem.detail];
    };
    expect(await refused(id, { action: 'reclassify', reason: 'lunch' })).toEqual([409, expect.stringContaining('downtime-reasons')]);
    expect(await refused(id, { action: 'split', atMs: first })).toEqual([409, expect.stringContaining('not within the stop')]);
    expect(await refused(id, { action: 'merge', with: `${press}@${fromMs + 140 * minuteMs}` })).toEqual([
      409,
      expect.stringContaining('the machine ran'),
    ]);
    expect(await refused(id, { action: 'withdraw', correction: 'c000000000999' })).toEqual([409, expect.stringContaining('history')]);
    expect(await refused(`${press}@${first + minuteMs}`, { action: 'reclassify', reason: null })).toEqual([
      404,
      expect.stringContaining(id),
    ]);
    expect(await refused('x@1', { action: 'reclassify', reason: null })).toEqual([404, expect.stringContaining('<machine>@')]);
    expect((await refused(id, { action: 'reclassify', reason: 'other', state: 'running' }))[0]).toBe(400);
    expect((await refused(id, { action: 'delete' }))[0]).toBe(400);
  });

  it('needs more than the right to read', async () => {
    const reader = await addToken(rig.dataDir, { name: 'xem', scope: 'read', expiresMs: null }, 0);
    await expect.poll(async () => (await patch('x@1', { action: 'split', atMs: 1 }, reader)).status).toBe(403);
  });
});
