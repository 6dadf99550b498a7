import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Buckets } from '../history-store.ts';
import { storeWrite } from '../testing/store-write.ts';
import { createDuckdbStore } from './duckdb-store.ts';
import { PlainHistory, type PlainSample } from './testing/plain-history.ts';

const day = 86_400_000;
const t0 = Date.UTC(2026, 10, 20);
const machines = ['g/e/ÉP-01', "g/e/d'2"] as const;
const metrics = ['Power/Active', 'Count/Good', 'State', 'Job/Lot'] as const;

const values: Readonly<Record<(typeof metrics)[number], fc.Arbitrary<Value>>> = {
  'Power/Active': fc.oneof(
    fc.integer({ min: -50, max: 50 }).map((v) => v / 4),
    fc.boolean(),
  ),
  'Count/Good': fc.nat(1000),
  State: fc.constantFrom('running', 'idle', 'fault', null),
  'Job/Lot': fc.oneof(fc.constantFrom('lô 7', '', null), fc.constant(2n ** 63n), fc.nat(9)),
};

/** Crowded: many share a minute, some a millisecond. */
const time = fc
  .tuple(fc.integer({ min: -1, max: 4 }), fc.constantFrom(0, 5, 9.5, 23), fc.integer({ min: 0, max: 150 }))
  .map(([days, hours, step]) => t0 + days * day + hours * 3_600_000 + step * 1000 * 7.5);
const sample = fc
  .constantFrom(...metrics)
  .chain((metric) => fc.record({ machine: fc.constantFrom(...machines), metric: fc.constant(metric), t: time, v: values[metric] }));
type Drawn = Omit<PlainSample, 'n'>;

const burstSamples = 300;
/** So many in a few minutes that the series gets roll-ups of minutes, unless it has as many that are far apart. */
const burst = fc
  .constantFrom(...metrics)
  .chain((metric) =>
    fc.record({
      name: fc.record({ machine: fc.constantFrom(...machines), metric: fc.constant(metric) }),
      from: time,
      stepMs: fc.constantFrom(750, 1000, 2500),
      values: fc.array(values[metric], { minLength: 1, maxLength: 9 }),
    }),
  )
  .map(({ name, from, stepMs, values: drawn }) =>
    Array.from({ length: burstSamples }, (_, i) => ({ ...name, t: from + i * stepMs, v: drawn[i % drawn.length] ?? null })),
  );

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('write' as const), samples: fc.array(sample, { minLength: 1, maxLength: 60, size: '+1' }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('write' as const), samples: burst }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('upkeep' as const), days: fc.integer({ min: 0, max: 6 }), waits: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
);

const question = fc.record({
  machine: fc.constantFrom(...machines),
  metric: fc.constantFrom(...metrics),
  from: time,
  span: fc.constantFrom(1, 60_000, 3_600_000, day, 3 * day, 9 * day),
  everyMs: fc.constantFrom(1000, 7000, 60_000, 2_700_000, 300_000, 3_600_000, day, 2_592_000),
  limit: fc.constantFrom(3, 1000),
});

type Question = typeof question extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function near(buckets: Buckets): object {
  return { ...buckets, avg: buckets.avg.map((v) => Math.round(v * 1e6) / 1e6) };
}

describe('hot and cold together', () => {
  it('answer as a plain list does, whatever is compacted when, late samples and restarts included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 3, maxLength: 12 }),
        fc.array(question, { minLength: 4, maxLength: 4 }),
        fc.constantFrom(8, 1000),
        async (actions, questions, maxFileRows) => {
          const folder = mkdtempSync(join(tmpdir(), 'nhip-cold-'));
          const settings = { type: 'duckdb', file: join(folder, 'history.duckdb'), memoryLimitMb: 128, threads: 2 } as const;
          const make = () => createDuckdbStore({ ...settings, compaction: { atUtc: '18:30', maxFileRows } });
          let store = make();
          await store.open();
          const plain = new PlainHistory();
          const table = new SeriesTable();
          let running: Promise<void> = Promise.resolve();
          let n = 0;
          let nextIndex = 0;

          async function write(samples: readonly Drawn[]): Promise<void> {
            const batch = new SampleBatch(table);
            for (const { machine, metric, t, v } of samples) {
              batch.push(table.id(machine, metric), t, ++n, v, 192, false);
              plain.samples.push({ machine, metric, t: Math.floor(t), n, v });
            }
            await store.write(storeWrite(batch, { nextIndex: ++nextIndex, decoder: Uint8Array.of(1), repeats: Uint8Array.of(1) }));
          }

          async function check({ machine, metric, from, span, everyMs, limit }: Question) {
            const to = from + span;
            const name = { machine, metric };
            const asked = { ...name, fromMs: from, toMs: to, limit };
            expect(await store.range(asked)).toEqual(plain.range(machine, metric, from, to, limit));
            expect(near(await store.buckets({ ...asked, everyMs, limit: 1e6 }))).toEqual(
              near(plain.buckets(machine, metric, from, to, everyMs)),
            );
            expect(await store.lastBefore(machine, metric, from)).toEqual(plain.lastBefore(machine, metric, from));
            const [changes] = await store.changes([name], from, to, 1e6);
            expect(changes).toEqual(plain.changes(machine, metric, from, to));
            expect(await store.delivery(machine, from, to)).toEqual(plain.delivery(machine, from, to));
          }

          try {
            for (const step of actions) {
              if (step.type === 'write') await write(step.samples);
              else if (step.type === 'upkeep') {
                await running;
                running = store.upkeep.run(t0 + step.days * day + 3_600_000);
                if (step.waits) await running;
              } else {
                await running;
                await store.close();
                store = make();
                expect((await store.open())?.nextIndex ?? 0).toBe(nextIndex);
              }
              const [first] = questions;
              if (first !== undefined) await check(first);
            }
            await running;
            for (const each of questions) await check(each);
            await store.upkeep.run(t0 + 6 * day);
            const bursts = actions.flatMap((step) =>
              step.type === 'write' && step.samples.length === burstSamples ? [step.samples[0]] : [],
            );
            for (const each of bursts) {
              if (each === undefined) continue;
              const { machine, metric, t } = each;
              await check({ machine, metric, from: t - 90_000, span: day, everyMs: 60_000, limit: 1000 });
            }
            const latest = (await store.latest()).map(({ machine, metric, t, v }) => ({ machine, metric, t, v }));
            const wanted = store
              .series()
              .map(({ machine, metric }) => ({ machine, metric, ...plain.lastBefore(machine, metric, Infinity) }));
            expect(latest.sort(bySeries)).toEqual(wanted.sort(bySeries));
          } finally {
            await running.catch(() => undefined);
            await store.close();
            rmSync(folder, { recursive: true });
          }
        },
      ),
      { numRuns: 7, endOnFailure: true },
    );
  }, 120_000);
});

function bySeries(a: { machine: string; metric: string }, b: { machine: string; metric: string }): number {
  const [x, y] = [`${a.machine} ${a.metric}`, `${b.machine} ${b.metric}`];
  return x === y ? 0 : x < y ? -1 : 1;
}
