import type { Loss } from '@nhip/core/wire/loss';
import { describe, expect, it } from 'vitest';
import type { Checkpoint, HistoryStore, RefusedSample } from '../history-store.ts';
import { batchOf, type Row } from './batch-of.ts';
import { storeWrite } from './store-write.ts';

const hourMs = 3_600_000;
const t0 = Date.UTC(2026, 0, 5, 8);
const machine = 'hoalac/edge-1/ÉP-01';

function checkpoint(nextIndex: number): Checkpoint {
  return { nextIndex, decoder: Uint8Array.of(1), repeats: Uint8Array.of(nextIndex) };
}

function loss(change: Partial<Loss>): Loss {
  return {
    edge: 'hoalac/edge-1',
    machine,
    metric: 'A',
    reason: 'outboxQuota',
    detail: '',
    samples: 1,
    stream: '0f'.repeat(16),
    seqFrom: 5,
    seqTo: 6,
    fromMs: t0,
    toMs: t0,
    atMs: t0 + 1,
    ...change,
  };
}

/** What every store promises of losses and refusals; `storeSuite` calls it. */
export function lossSuite(opened: () => Promise<{ store: HistoryStore; reopen: () => Promise<HistoryStore> }>): void {
  describe('losses', () => {
    it('gives losses back as they were, newest report first, by time, edge and limit', async () => {
      const { store, reopen } = await opened();
      const first = loss({ samples: -3, detail: 'năng lượng', seqTo: Number.MAX_SAFE_INTEGER, toMs: t0 + 5 });
      const second = loss({ atMs: t0 + 2, edge: 'hoalac/edge-2', machine: '', metric: '', reason: 'agentDown', samples: 0, stream: '' });
      await store.write(storeWrite(batchOf(machine, []), checkpoint(1), [first]));
      await store.write(storeWrite(batchOf(machine, []), checkpoint(2), [second]));
      await store.close();
      const again = await reopen();
      await again.open();
      const all = { fromMs: t0, toMs: t0 + 10, limit: 10 };
      expect(await again.losses(all)).toEqual([second, first]);
      expect(await again.losses({ ...all, limit: 1 })).toEqual([second]);
      expect(await again.losses({ ...all, edge: 'hoalac/edge-1' })).toEqual([first]);
      expect(await again.losses({ ...all, toMs: t0 + 2 })).toEqual([first]);
      expect(await again.losses({ ...all, fromMs: t0 + 3 })).toEqual([]);
      await again.close();
    });

    it('tells by metric and hour what was stored, lost and dead-lettered, of one machine only', async () => {
      const { store } = await opened();
      const batch = batchOf(machine, [
        ['A', t0, 1],
        ['A', t0 + hourMs - 1, 2],
        ['A', t0 + hourMs, 3],
        ['B', t0, 'text'],
        ['B', t0, 5],
        ['A', t0 + 2 * hourMs, 4],
      ]);
      await store.write(
        storeWrite(batch, checkpoint(1), [
          loss({ samples: 4 }),
          loss({ samples: 2, reason: 'outboxFull', fromMs: t0 + 5, toMs: t0 + hourMs }),
          loss({ samples: 7, reason: 'deadLettered', fromMs: t0 + hourMs }),
          loss({ samples: -7, reason: 'deadLettered', fromMs: t0 + hourMs }),
          loss({ samples: 3, reason: 'deadLettered', metric: '' }),
          loss({ samples: 9, machine: 'hoalac/edge-1/ÉP-02' }),
          loss({ samples: 9, fromMs: t0 - 1 }),
        ]),
      );
      expect(await store.delivery(machine, t0, t0 + 2 * hourMs)).toEqual([
        { metric: '', hourMs: t0, stored: 0, lost: 0, deadLettered: 3 },
        { metric: 'A', hourMs: t0, stored: 2, lost: 6, deadLettered: 0 },
        { metric: 'A', hourMs: t0 + hourMs, stored: 1, lost: 0, deadLettered: 0 },
        { metric: 'B', hourMs: t0, stored: 2, lost: 0, deadLettered: 0 },
      ]);
      expect(await store.delivery('hoalac/edge-1/none', t0, t0 + hourMs)).toEqual([]);
    });

    it('adds losses up by edge and reason', async () => {
      const { store } = await opened();
      await store.write(storeWrite(batchOf(machine, []), checkpoint(1), [loss({ samples: 4 }), loss({ samples: 2, atMs: t0 + 9 })]));
      await store.write(
        storeWrite(batchOf(machine, []), checkpoint(2), [loss({ samples: 1, reason: 'agentDown' }), loss({ edge: '', machine: '' })]),
      );
      expect(await store.lossTotals()).toEqual([
        { edge: '', reason: 'outboxQuota', samples: 1, lastAtMs: t0 + 1 },
        { edge: 'hoalac/edge-1', reason: 'agentDown', samples: 1, lastAtMs: t0 + 1 },
        { edge: 'hoalac/edge-1', reason: 'outboxQuota', samples: 6, lastAtMs: t0 + 9 },
      ]);
    });
  });

  describe('samples that no store can take', () => {
    const impossibleMs = 1e18;

    it('are handed over one by one before the checkpoint moves; the rest is stored, beside the losses of the refused', async () => {
      const { store } = await opened();
      const rows: Row[] = [
        ['A', t0, 1],
        ['A', impossibleMs, 2],
        ['A', t0 + 2, 3],
        ['T', impossibleMs, 'x'],
        ['T', t0 + 3, 'y'],
      ];
      let handed: readonly RefusedSample[] = [];
      await store.write({
        ...storeWrite(batchOf(machine, rows), checkpoint(5), [loss({})]),
        keepRefused: async (refused) => {
          handed = refused;
          expect(await store.open()).toBeUndefined();
          return [loss({ samples: refused.length, reason: 'deadLettered', atMs: t0 + 2 })];
        },
      });
      expect(handed.map(({ row }) => row)).toEqual([1, 3]);
      expect(handed.every(({ reason }) => reason !== '')).toBe(true);
      const range = { machine, fromMs: 0, toMs: t0 + hourMs, limit: 10 };
      expect((await store.range({ ...range, metric: 'A' })).v).toEqual([1, 3]);
      expect((await store.range({ ...range, metric: 'T' })).v).toEqual(['y']);
      expect((await store.losses({ fromMs: t0, toMs: t0 + 10, limit: 10 })).map(({ samples }) => samples)).toEqual([2, 1]);
      expect((await store.open())?.nextIndex).toBe(5);
    });

    it('hold everything back when they cannot be kept elsewhere', async () => {
      const { store } = await opened();
      const batch = batchOf(machine, [
        ['A', t0, 1],
        ['A', impossibleMs, 2],
      ]);
      await expect(store.write(storeWrite(batch, checkpoint(1)))).rejects.toThrow();
      expect(await store.open()).toBeUndefined();
      expect((await store.range({ machine, metric: 'A', fromMs: 0, toMs: t0 + 1, limit: 9 })).v).toEqual([]);
    });
  });
}
