import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../testing/memory-store.ts';
import { press } from '../testing/plant.ts';
import { type HistorySample, lossOf, type Rig, startRig } from '../testing/rig.ts';
import { cursorText, pageOf } from './page.ts';
import { nextPlace } from './timed-page.ts';

const atMs = Date.now() - 3_600_000;
/** Seven share each millisecond. */
const values: readonly HistorySample[] = Array.from({ length: 25_000 }, (_, i): HistorySample => [press, 'P', atMs + Math.floor(i / 7), i]);
const losses = Array.from({ length: 25 }, (_, i) => lossOf({ seqFrom: i, seqTo: i + 1, atMs: atMs + Math.floor(i / 10), fromMs: atMs }));

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ config: { demo: true }, history: values, losses });
});
afterAll(() => rig.close());

/** Follows `next` to the end; the rows of all pages. */
async function readAll<Row>(path: string, rowsOf: (answer: Record<string, unknown>) => readonly Row[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const response = await fetch(`${rig.url}${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(response.status).toBe(200);
    const answer = (await response.json()) as Record<string, unknown> & { next: string | null };
    rows.push(...rowsOf(answer));
    cursor = answer.next;
    expect(response.headers.get('link')).toEqual(cursor === null ? null : expect.stringContaining(`cursor=${cursor}>; rel="next"`));
  }
  return rows;
}

const query = `/api/v1/history?machine=${encodeURIComponent(press)}&metric=P&from=${atMs}`;

describe('pages', () => {
  it('of losses and values that share their times miss none and repeat none', async () => {
    const seqs = await readAll('/api/v1/losses?limit=3', ({ losses: rows }) =>
      (rows as { seqFrom: number }[]).map(({ seqFrom }) => seqFrom),
    );
    expect([...seqs].sort((a, b) => a - b)).toEqual(losses.map((_, i) => i));
    const read = await readAll(`${query}&limit=6001`, ({ v }) => v as number[]);
    expect(read).toEqual(values.map((_, i) => i));
  });

  it('of machines and metrics go on behind the last one', async () => {
    const machines = await readAll('/api/v1/machines?limit=1', (answer) => (answer.machines as { id: string }[]).map(({ id }) => id));
    expect(machines).toEqual(['hoalac/press/M01', 'hoalac/press/M02']);
    const states = await readAll('/api/v1/states?limit=1', (answer) => Object.keys(answer.machines as object));
    expect(states).toEqual(machines);
  });

  it('refuse a cursor that is none, a limit beyond the most, and pages of buckets', async () => {
    const status = async (path: string) => (await fetch(rig.url + path)).status;
    expect(await status('/api/v1/machines?cursor=nonsense')).toBe(400);
    expect(await status(`/api/v1/losses?cursor=${cursorText(['x', 1, 0])}`)).toBe(400);
    expect(await status(`/api/v1/losses?cursor=${cursorText([1, 2, -1])}`)).toBe(400);
    expect(await status('/api/v1/machines?limit=10001')).toBe(400);
    expect(await status(`${query}&every=1h&limit=5`)).toBe(400);
  });

  it('hold every row once, however large and whatever comes in between', () => {
    const limits = { most: 50, usual: 10 };
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (names, limit) => {
        const seen: string[] = [];
        for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
          const { rows, next } = pageOf(names, (name) => name, { limit: String(limit), cursor }, limits);
          seen.push(...rows);
          cursor = next ?? undefined;
        }
        expect(seen).toEqual([...names].sort());
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (times, limit) => {
        const rows = times.map((t, i) => ({ t, i })).sort((a, b) => a.t - b.t || a.i - b.i);
        const seen: number[] = [];
        for (let place: ReturnType<typeof nextPlace> = { fromMs: 0, toMs: 9, skip: 0 }; place !== undefined; ) {
          const { fromMs, skip } = place;
          const found = rows.filter(({ t }) => t >= fromMs).slice(0, skip + limit + 1);
          seen.push(...found.slice(skip, skip + limit).map(({ i }) => i));
          place = nextPlace(
            found.map(({ t }) => t),
            place,
            limit,
            'oldest',
          );
        }
        expect(seen).toEqual(rows.map(({ i }) => i));
      }),
    );
  });
});

describe('files', () => {
  it('of CSV hold the whole range, more than fits into one page', async () => {
    const lines = (await (await fetch(rig.url + query, { headers: { accept: 'text/csv' } })).text()).trimEnd().split('\r\n');
    expect(lines[0]).toBe('time,value,quality');
    expect(lines.slice(1).map((line) => Number(line.split(',')[1]))).toEqual(values.map((_, i) => i));
    const some = await (await fetch(`${rig.url}${query}&limit=2`, { headers: { accept: 'text/csv' } })).text();
    expect(some.trimEnd().split('\r\n')).toHaveLength(3);
  });

  it('of Parquet are those that the store writes, one at a time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nhip-parquet-'));
    const asked: unknown[] = [];
    let isDisposed = false;
    const store = {
      ...createMemoryStore(),
      series: () => [{ id: 0, machine: press, metric: 'P' }],
      async exportSamples({ signal: _, ...query }: { signal?: AbortSignal | undefined }) {
        asked.push(query);
        const file = join(folder, 'made.parquet');
        writeFileSync(file, 'PAR1…PAR1');
        const dispose = async () => {
          isDisposed = true;
        };
        return { file, rows: 1, bytes: Buffer.byteLength('PAR1…PAR1'), dispose };
      },
    };
    const other = await startRig({ config: { demo: true }, store });
    try {
      const accept = 'application/vnd.apache.parquet';
      const response = await fetch(`${other.url}${query}&to=${atMs + 5}`, { headers: { accept } });
      expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, accept, 'PAR1…PAR1']);
      expect(response.headers.get('content-disposition')).toContain('hoalac-press-M01_P.parquet');
      expect(asked).toEqual([{ machine: press, metric: 'P', fromMs: atMs, toMs: atMs + 5, format: 'parquet' }]);
      expect(isDisposed).toBe(true);
      expect((await fetch(`${other.url}${query}&every=1m`, { headers: { accept } })).status).toBe(406);
      expect((await fetch(`${other.url}${query}&limit=1`, { headers: { accept } })).status).toBe(400);
    } finally {
      await other.close();
      rmSync(folder, { recursive: true });
    }
  });
});
