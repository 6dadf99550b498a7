import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../test/harness/until.ts';
import type { Checkpoint, SampleStore, StoreAbility } from '../history-store.ts';
import { type TickedRow, tickedBatchOf } from './batch-of.ts';
import { storeWrite } from './store-write.ts';

/** A store of a suite and how it is looked into, beside its own code where it has no queries. */
export interface SuiteStore {
  readonly store: SampleStore;
  /** Another one at the same place. */
  readonly reopen: () => SampleStore;
  dispose(): Promise<void>;
  /** Lets the time of a D1 store pass. */
  settle?(): Promise<void>;
  /** What the store has of one series, oldest first. */
  samplesOf(machine: string, metric: string): Promise<readonly { readonly t: number; readonly v: Value }[]>;
}

const t0 = Date.UTC(2026, 0, 5, 8);
const million = 1_000_000;

function checkpoint(nextIndex: number): Checkpoint {
  return { nextIndex, decoder: Uint8Array.of(1, nextIndex % 256), repeats: Uint8Array.of(2, nextIndex % 256) };
}

/**
 * What every store promises of writing. What it declares that it cannot do is skipped by name, with its reason. `many`: a multiple of 500,
 * less than the usual million only where a fake stands for the server.
 */
export function sampleStoreSuite(
  name: string,
  cannot: NonNullable<SampleStore['cannot']>,
  create: () => SuiteStore,
  { many = million }: { readonly many?: number } = {},
): void {
  /** A test that needs an ability. */
  const itIfCan = (ability: StoreAbility, title: string, run: () => Promise<void>): void => {
    const reason = cannot[ability];
    if (reason === undefined) it(title, run);
    else it(`${title} — declared that it cannot: ${reason}`, () => expect(reason.length).toBeGreaterThan(10));
  };

  describe(`${name}: writing`, () => {
    let made: SuiteStore | undefined;
    let machines = 0;
    let machine = '';
    afterEach(async () => {
      await made?.dispose();
      made = undefined;
    });

    async function opened(): Promise<SuiteStore> {
      made = create();
      // Stores of a suite may share a server.
      machine = `xưởng/edge-1/${name}-${machines++}`;
      await made.store.open();
      return made;
    }

    const batchOf = (rows: readonly TickedRow[]): SampleBatch => tickedBatchOf(machine, rows);

    it('declares a class, and a reason for everything that it cannot do', () => {
      made = create();
      const { durability } = made.store;
      expect(made.store.cannot ?? {}).toEqual(cannot);
      expect(durability.delayMs > 0).toBe(durability.class === 'D1');
      for (const reason of Object.values(cannot)) expect(reason.length).toBeGreaterThan(10);
    });

    it('gives the checkpoint back when its time has come, and after reopening', async () => {
      const { store, reopen, settle } = await opened();
      await store.write(storeWrite(batchOf([['A', t0, 0, 1]]), checkpoint(7)));
      await store.write(storeWrite(batchOf([]), checkpoint(8)));
      await until('the checkpoint is durable', async () => {
        await settle?.();
        return (await store.open())?.nextIndex === 8;
      });
      await store.close();
      const again = reopen();
      expect(await again.open()).toEqual(checkpoint(8));
      await again.close();
    });

    it('keeps numbers, their times and their order', async () => {
      const { store, samplesOf } = await opened();
      const values = [1.5, -0.25, 0, 100, 123_456.789, 21];
      await store.write(storeWrite(batchOf(values.map((value, i) => ['A', t0 + i, i, value])), checkpoint(1)));
      expect(await samplesOf(machine, 'A')).toEqual(values.map((v, i) => ({ t: t0 + i, v })));
    });

    itIfCan('exactNumbers', 'keeps numbers to the last bit', async () => {
      const { store, samplesOf } = await opened();
      const values = [5e-324, -1.7976931348623157e308, 2 ** 53, 0.1 + 0.2, 1e21, -1e-7, Math.PI];
      await store.write(storeWrite(batchOf(values.map((value, i) => ['A', t0 + i, i, value])), checkpoint(1)));
      expect(await samplesOf(machine, 'A')).toEqual(values.map((v, i) => ({ t: t0 + i, v })));
    });

    itIfCan('text', 'keeps texts', async () => {
      const { store, samplesOf } = await opened();
      const values = ['chạy', '', 'say "a\\b"\nnew', '😀'];
      await store.write(storeWrite(batchOf(values.map((value, i) => ['A', t0 + i, i, value])), checkpoint(1)));
      expect((await samplesOf(machine, 'A')).map(({ v }) => v)).toEqual(values);
    });

    itIfCan('noValue', 'keeps that there is no value', async () => {
      const { store, samplesOf } = await opened();
      await store.write(storeWrite(batchOf([['A', t0, 0, null]]), checkpoint(1)));
      expect((await samplesOf(machine, 'A')).map(({ v }) => v)).toEqual([null]);
    });

    itIfCan('booleans', 'tells Booleans from numbers', async () => {
      const { store, samplesOf } = await opened();
      await store.write(storeWrite(batchOf([true, 1, false, 0].map((value, i) => ['A', t0 + i, i, value])), checkpoint(1)));
      expect((await samplesOf(machine, 'A')).map(({ v }) => v)).toEqual([true, 1, false, 0]);
    });

    itIfCan('exactIntegers', 'keeps every digit of large integers', async () => {
      const { store, samplesOf } = await opened();
      const values = [2n ** 64n - 1n, -(2n ** 62n) - 1n];
      await store.write(storeWrite(batchOf(values.map((value, i) => ['A', t0 + i, i, value])), checkpoint(1)));
      expect((await samplesOf(machine, 'A')).map(({ v }) => v)).toEqual(values);
    });

    itIfCan('sameMillisecond', 'keeps samples of one millisecond apart', async () => {
      const { store, samplesOf } = await opened();
      await store.write(storeWrite(batchOf([2, 1, 3].map((tick) => ['A', t0, tick, tick])), checkpoint(1)));
      expect((await samplesOf(machine, 'A')).map(({ v }) => v)).toEqual([1, 2, 3]);
    });

    it('keeps names of any script apart', async () => {
      const { store, samplesOf } = await opened();
      const names = ['Năng lượng', 'năng lượng', 'a,b=c d', 'C:\\temp', '"', '温度', '😀', 'x'.repeat(200), '{}', '%41', 'A'];
      await store.write(storeWrite(batchOf(names.map((metric, i) => [metric, t0, i, i])), checkpoint(1)));
      for (const [i, metric] of names.entries()) {
        const found = await samplesOf(machine, metric);
        expect({ metric, found }).toEqual({ metric, found: [{ t: t0, v: i }] });
      }
    });

    it('sorts late data in', async () => {
      const { store, samplesOf } = await opened();
      await store.write(storeWrite(batchOf([['A', t0 + 30, 1, 30]]), checkpoint(1)));
      await store.write(
        storeWrite(
          batchOf([
            ['A', t0 + 10, 2, 10],
            ['A', t0 - 86_400_000, 3, -1],
          ]),
          checkpoint(2),
        ),
      );
      expect((await samplesOf(machine, 'A')).map(({ v }) => v)).toEqual([-1, 10, 30]);
    });

    it('makes nothing double when the same is written again in other batches (D1, D2: a D3 store never needs it)', async () => {
      const { store, samplesOf } = await opened();
      if (store.durability.class === 'D3') return;
      const rows = Array.from({ length: 100 }, (_, i): TickedRow => ['A', t0 + i, i, i]);
      await store.write(storeWrite(batchOf(rows), checkpoint(1)));
      await store.write(storeWrite(batchOf(rows.slice(30, 70)), checkpoint(1)));
      await store.write(storeWrite(batchOf(rows.slice(50)), checkpoint(1)));
      expect((await samplesOf(machine, 'A')).map(({ v }) => v)).toEqual(rows.map(([, , , value]) => value));
    });

    it(`takes ${many.toLocaleString('en')} samples and has each once`, async () => {
      const { store, samplesOf } = await opened();
      const series = new SeriesTable();
      for (let part = 0; part < 5; part++) {
        const batch = new SampleBatch(series);
        for (let i = part * (many / 5); i < (part + 1) * (many / 5); i++)
          batch.push(series.id(machine, `M${i % 100}`), t0 + Math.floor(i / 100) * 1000, i % million, i / 4, 192, false);
        await store.write(storeWrite(batch, checkpoint(part + 1)));
      }
      for (const m of [0, 57, 99]) {
        const found = await samplesOf(machine, `M${m}`);
        expect(found).toHaveLength(many / 100);
        expect(found.at(-1)).toEqual({ t: t0 + (many / 100 - 1) * 1000, v: (many - 100 + m) / 4 });
      }
    }, 60_000);

    it('closes twice without harm', async () => {
      const { store } = await opened();
      await store.close();
      await store.close();
    });
  });
}
