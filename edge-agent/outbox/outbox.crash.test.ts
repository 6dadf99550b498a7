/** The promise of the outbox over random lives: full disks, a small quota, lost acknowledgements, power cuts and kills anywhere. */
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { IntervalSet } from '@nhip/core/telemetry/interval-set';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Outbox } from './outbox.ts';
import { definitions, drainReports, openSimOutbox, readings, recordsFrom } from './testing/rig.ts';

type Action =
  | { readonly kind: 'append'; readonly metric: 'N' | 'I'; readonly count: number; readonly overlapping: number }
  | { readonly kind: 'acknowledge'; readonly records: number; readonly skip: number }
  | { readonly kind: 'fill'; readonly freeBytes: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'makeRoom' | 'commit' | 'report' | 'reportMeanwhile' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      metric: fc.constantFrom('N' as const, 'N' as const, 'N' as const, 'I' as const),
      count: fc.integer({ min: 1, max: 40 }),
      overlapping: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), records: fc.integer({ min: 1, max: 20 }), skip: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fill' as const), freeBytes: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 1100, 6000) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('makeRoom' as const, 'commit' as const, 'report' as const, 'reportMeanwhile' as const) }),
  },
);
const lives = fc.array(
  fc.record({
    end: fc.constantFrom('crash' as const, 'kill' as const, 'stop' as const),
    operations: fc.integer({ min: 1, max: 300 }),
    seed: fc.nat(),
    actions: fc.array(action, { maxLength: 40 }),
  }),
  { minLength: 1, maxLength: 5 },
);

/** What the world outside of the outbox knows. */
class World {
  readonly sim: SimDisk;
  /** Numbers that are accounted for, by stream: acknowledged, or in a report that the server has. */
  readonly known = new Map<string, IntervalSet>();
  readonly values = new Map<string, unknown>();
  /** Reports that the server got, with how many values there were when it did. */
  readonly reports: { readonly stream: string; readonly from: number; readonly to: number; readonly nextValue: number }[] = [];
  nextValue = 0;
  samples = 0;

  constructor(seed: number) {
    this.sim = createSimDisk(createSimRandom(seed));
  }

  note(stream: string, from: number, to: number): void {
    const set = this.known.get(stream) ?? new IntervalSet();
    set.add(from, to);
    this.known.set(stream, set);
  }

  report(stream: string, from: number, to: number): void {
    this.note(stream, from, to);
    this.reports.push({ stream, from, to, nextValue: this.nextValue });
  }

  /** A number that left the process, in a message or in a report, never means another sample. */
  saw(stream: string, seq: number, values: readonly unknown[]): void {
    for (const [i, value] of values.entries()) {
      const reused = this.reports.find(
        (report) => report.stream === stream && report.from <= seq + i && report.to > seq + i && report.nextValue <= Number(value),
      );
      expect(reused, `number ${seq + i} of a report was given again`).toBeUndefined();
      const key = `${stream} ${seq + i}`;
      expect(this.values.get(key) ?? value, `number ${key}`).toBe(value);
      this.values.set(key, value);
    }
  }

  async acknowledge(outbox: Outbox, count: number, skip: number): Promise<void> {
    const open = (await recordsFrom(outbox, outbox.acks.cursor())).filter(({ index }) => !outbox.acks.isAcknowledged(index));
    for (const { index, stream, seq, end, metrics } of open.slice(skip, skip + count)) {
      this.saw(
        stream,
        seq,
        metrics.map(({ value }) => value),
      );
      outbox.acks.acknowledge(index, index + 1);
      this.note(stream, seq, end);
    }
  }

  /** Every number below the highest one known is in a record that can be read, acknowledged, or in a report. */
  check(numbersOfRecords: ReadonlyMap<string, IntervalSet>): void {
    for (const [stream, set] of numbersOfRecords) for (const [from, to] of set.intervals()) this.note(stream, from, to);
    for (const [stream, set] of this.known)
      if (set.intervalCount > 0) expect(set.intervals(), stream).toEqual([[0, set.intervals().at(-1)?.[1]]]);
  }
}

async function live(world: World, actions: readonly Action[]): Promise<void> {
  const { outbox, clock } = await openSimOutbox(world.sim, { maxBytes: 9000 });
  for (const act of actions) {
    switch (act.kind) {
      case 'append': {
        const appends = Array.from({ length: act.overlapping }, () => {
          const values = Array.from({ length: act.count }, () => world.nextValue++ + (act.metric === 'I' ? 0.5 : 0));
          world.samples += values.length;
          return outbox.append('d', readings(act.metric, ...values), definitions);
        });
        await clock.drive(Promise.all(appends));
        break;
      }
      case 'acknowledge':
        await world.acknowledge(outbox, act.records, act.skip);
        break;
      case 'fill':
        world.sim.setCapacity(world.sim.files().reduce((sum, path) => sum + world.sim.content(path).length, 0) + act.freeBytes);
        break;
      case 'makeRoom':
        world.sim.setCapacity(Number.POSITIVE_INFINITY);
        break;
      case 'commit':
        await outbox.commitAcks().catch(() => undefined);
        break;
      case 'wait':
        await clock.advance(act.ms);
        break;
      case 'reportMeanwhile': {
        const value = world.nextValue++;
        world.samples++;
        await clock.drive(Promise.all([outbox.nextReport().catch(() => undefined), outbox.append('d', readings('N', value), definitions)]));
        break;
      }
      case 'report': {
        const report = await outbox.nextReport().catch(() => undefined);
        if (report === undefined) break;
        world.report(report.stream, report.seqFrom, report.seqTo);
        if (world.nextValue % 3 > 0) outbox.acknowledgeReport(report.no);
      }
    }
  }
  await outbox.close();
}

async function checkAfter(world: World): Promise<void> {
  world.sim.crash(createSimRandom(0));
  world.sim.setCapacity(Number.POSITIVE_INFINITY);
  const { outbox, clock } = await openSimOutbox(world.sim, { maxBytes: 9000 });
  const numbers = new Map<string, IntervalSet>();
  let next = outbox.acks.cursor();
  for (const { index, stream, seq, end, metrics } of await recordsFrom(outbox)) {
    // As the publisher does: a batch that was never acknowledged may have been torn in its middle.
    if (index > next) await clock.drive(outbox.missing(next, index));
    next = Math.max(next, index + 1);
    world.saw(
      stream,
      seq,
      metrics.map(({ value }) => value),
    );
    const set = numbers.get(stream) ?? new IntervalSet();
    set.add(seq, end);
    numbers.set(stream, set);
  }
  for (const { stream, seqFrom, seqTo } of await drainReports(outbox, clock)) world.note(stream, seqFrom, seqTo);
  world.check(numbers);
}

it('leaves no number unaccounted for: readable, acknowledged or reported', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(lives, async (all) => {
      const world = new World(all.length);
      for (const { end, operations, seed, actions } of all) {
        const random = createSimRandom(seed);
        const after = end === 'stop' ? 1e9 : operations;
        const ended = end === 'crash' ? world.sim.crashAfter(after, random) : world.sim.killAfter(after, random);
        await Promise.race([ended, live(world, actions)]);
        if (end === 'crash') world.sim.crash(random);
      }
      await checkAfter(world);
    }),
    { numRuns: Number(process.env.NHIP_OUTBOX_RUNS ?? 100) },
  );
});

/** What happens, and how many ways of tearing the unsynced writes are tried per operation. */
const sweeps: readonly (readonly [name: string, seeds: number, actions: readonly Action[]])[] = [
  ['an eviction', 2, Array.from({ length: 7 }, () => ({ kind: 'append', metric: 'N', count: 40, overlapping: 2 }) as const)],
  [
    'a full disk',
    4,
    [
      { kind: 'append', metric: 'N', count: 3, overlapping: 1 },
      { kind: 'fill', freeBytes: 0 },
      { kind: 'append', metric: 'N', count: 5, overlapping: 3 },
      { kind: 'wait', ms: 1100 },
      { kind: 'makeRoom' },
      { kind: 'append', metric: 'N', count: 2, overlapping: 2 },
      { kind: 'append', metric: 'N', count: 2, overlapping: 2 },
    ],
  ],
  [
    'a report that takes numbers',
    25,
    [
      { kind: 'append', metric: 'N', count: 1, overlapping: 1 },
      { kind: 'append', metric: 'I', count: 5, overlapping: 1 },
      { kind: 'wait', ms: 6000 },
      { kind: 'reportMeanwhile' },
      { kind: 'append', metric: 'N', count: 1, overlapping: 1 },
    ],
  ],
];

it.each(sweeps)(
  'leaves no number unaccounted for when the power is cut at any operation of %s',
  { timeout: 60_000 },
  async (_, seeds, actions) => {
    for (let operations = 1, isDone = false; !isDone; operations++) {
      for (let seed = 0; seed < seeds; seed++) {
        const world = new World(seed);
        const cut = world.sim.crashAfter(operations, createSimRandom(1000 * operations + seed)).then(() => false);
        isDone = await Promise.race([cut, live(world, actions).then(() => true)]);
        await checkAfter(world);
      }
    }
  },
);

it('counts every sample exactly once while nothing crashes: recorded + lost = taken, and the reports tell the lost ones', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const world = new World(actions.length);
      await live(
        world,
        actions.filter(({ kind }) => kind !== 'report'),
      );
      // Numbers that the restart counted again, because an acknowledgement was not on disk yet, are the server's to tell apart.
      await checkAfter(world);
      expect([...world.known.values()].reduce((sum, set) => sum + (set.intervals().at(-1)?.[1] ?? 0), 0)).toBe(world.samples);
    }),
    { numRuns: Number(process.env.NHIP_OUTBOX_RUNS ?? 80) },
  );
});
