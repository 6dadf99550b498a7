import { silentLog } from '@nhip/core/process/log';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import type { HistoryStore } from '@nhip/stores/history-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeliveryBoard, type DeliveryBoard } from './delivery-board.ts';
import { createGate } from './gate.ts';
import { createMemoryStore } from './testing/memory-store.ts';
import { press, shiftStartMs } from './testing/plant.ts';
import { eventually, type HistorySample, lossOf, writeHistory } from './testing/rig.ts';

const edge = 'hoalac/press';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const nowMs = shiftStartMs + 30 * minuteMs;
const everyMinute = (machine: string, metric: string, count: number): HistorySample[] =>
  Array.from({ length: count }, (_, i) => [machine, metric, nowMs - i * minuteMs, i]);

let clock: SimClock;
let store: HistoryStore;
let board: DeliveryBoard;
let asked: Record<'delivery' | 'lossTotals', number>;
let failure: Error | undefined;

beforeEach(() => {
  clock = createSimClock(nowMs);
  asked = { delivery: 0, lossTotals: 0 };
  failure = undefined;
  const memory = createMemoryStore();
  store = {
    ...memory,
    async delivery(...query) {
      asked.delivery += 1;
      if (failure !== undefined) throw failure;
      return memory.delivery(...query);
    },
    async lossTotals() {
      asked.lossTotals += 1;
      return memory.lossTotals();
    },
  };
  board = createDeliveryBoard({ store, queries: createGate('queries', { atOnce: 4, queued: 32 }), clock, log: silentLog() });
});
afterEach(() => board.stop());

/** Looks until the background has counted. */
function counted(): Promise<ReturnType<DeliveryBoard['edge']>> {
  return eventually(async () => {
    await clock.advance(1);
    const found = board.edge(edge);
    return found.delivery24h === null ? undefined : found;
  });
}

/** Waits until delivery was asked for so many times. */
async function again(times: number): Promise<void> {
  await eventually(async () => {
    await clock.advance(1);
    return asked.delivery === times ? true : undefined;
  });
}

describe('delivery board', () => {
  it('sums an edge over its machines, with machines that got nothing through and samples that nobody knows', async () => {
    await writeHistory(
      store,
      [...everyMinute(press, 'A', 60), ...everyMinute(press, 'B', 20), ...everyMinute(`${edge}/_node`, 'Outbox/PendingRecords', 50)],
      [
        lossOf({ metric: 'A', samples: 10, fromMs: nowMs - hourMs, atMs: nowMs - 5000 }),
        lossOf({ machine: `${edge}/M09`, samples: 5, reason: 'outboxFull', fromMs: nowMs - hourMs, atMs: nowMs - 4000 }),
        lossOf({ machine: '', metric: '', samples: 3, reason: 'outboxReplaced', fromMs: nowMs - hourMs, atMs: nowMs - 3000 }),
        lossOf({ metric: 'A', samples: 2, reason: 'deadLettered', detail: 'notANumber', fromMs: nowMs - hourMs, atMs: nowMs - 2000 }),
        lossOf({ metric: 'A', samples: 99, fromMs: nowMs - 30 * hourMs, atMs: nowMs - 29 * hourMs }),
      ],
    );
    const { delivery24h, lastLoss } = await counted();
    expect(delivery24h).toEqual({ stored: 80, lost: 18, deadLettered: 2, completeness: 0.8 });
    expect(lastLoss).toEqual({ reason: 'outboxReplaced', samples: 3, atMs: nowMs - 3000 });
    expect(board.totals()).toContainEqual({ edge, reason: 'outboxQuota', samples: 109, lastAtMs: nowMs - 5000 });
  });

  it('sums the rows of one report', async () => {
    const atMs = nowMs - 1000;
    await writeHistory(store, everyMinute(press, 'A', 3), [
      lossOf({ metric: 'A', samples: 4, atMs }),
      lossOf({ metric: 'B', samples: 5, atMs }),
      lossOf({ metric: 'B', samples: 100, atMs: atMs - 1 }),
    ]);
    expect((await counted()).lastLoss).toEqual({ reason: 'outboxQuota', samples: 9, atMs });
  });

  it('says that nothing was produced instead of dividing by nothing', async () => {
    await writeHistory(store, everyMinute('other/edge/M1', 'A', 3));
    expect((await counted()).delivery24h).toEqual({ stored: 0, lost: 0, deadLettered: 0, completeness: null });
  });

  it('answers at once and counts again only after a while, however often it is asked', async () => {
    await writeHistory(store, everyMinute(press, 'A', 3));
    expect(board.edge(edge)).toEqual({ delivery24h: null, lastLoss: null });
    await counted();
    for (let i = 0; i < 40; i++) {
      await clock.advance(1000);
      board.edge(edge);
    }
    expect(asked.delivery).toBe(1);
    await clock.advance(6000);
    board.edge(edge);
    await again(2);
    expect(asked.lossTotals).toBeLessThan(15);
  });

  it('does nothing while nobody looks', async () => {
    await clock.advance(24 * hourMs);
    expect(asked).toEqual({ delivery: 0, lossTotals: 0 });
  });

  it('keeps the old figures while the store fails, and finds back', async () => {
    await writeHistory(store, everyMinute(press, 'A', 3));
    const before = await counted();
    failure = new Error('the disk is gone');
    await clock.advance(60_000);
    board.edge(edge);
    await again(2);
    expect(board.edge(edge)).toEqual(before);
    failure = undefined;
    await writeHistory(store, everyMinute(press, 'B', 1));
    await eventually(async () => {
      await clock.advance(60_000);
      return board.edge(edge).delivery24h?.stored === 4 ? true : undefined;
    });
  });
});
