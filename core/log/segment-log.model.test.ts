/**
 * The log against a plain model on the simulated disk: random work, overlapping appends, power cuts between any two disk
 * operations, killed processes, full disks and failing syncs. The model knows what was promised; every reopening checks it.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FatalError } from '../process/errors.ts';
import { silentLog } from '../process/log.ts';
import { createSimClock } from '../process/simulation/sim-clock.ts';
import { createSimDisk, type SimDisk } from '../process/simulation/sim-disk.ts';
import { createSimRandom } from '../process/simulation/sim-random.ts';
import type { LogBus } from './log-bus.ts';
import { openSegmentLog } from './segment-log.ts';

type Action =
  | { readonly kind: 'append'; readonly sizes: readonly number[]; readonly pauseMs: number }
  | { readonly kind: 'consume' | 'consumeMeanwhile'; readonly reader: string; readonly maxRecords: number }
  | { readonly kind: 'crashAfter' | 'killAfter'; readonly operations: number }
  | { readonly kind: 'fill'; readonly freeBytes: number }
  | { readonly kind: 'makeRoom' | 'failSync' | 'crash' | 'kill' | 'reopen' };

const readers = ['a', 'b'];
const options = { segmentBytes: 2000, maxBytes: 1e9, readers, log: silentLog() };
const flag = (kind: 'makeRoom' | 'failSync' | 'crash' | 'kill' | 'reopen') => fc.constant<Action>({ kind });
const appendAction: fc.Arbitrary<Action> = fc.record({
  kind: fc.constant('append' as const),
  sizes: fc.array(fc.oneof(fc.nat(60), fc.nat(1500)), { minLength: 1, maxLength: 8 }),
  pauseMs: fc.nat(6),
});
const actions = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: appendAction },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('consume' as const, 'consumeMeanwhile' as const),
        reader: fc.constantFrom(...readers),
        maxRecords: fc.integer({ min: 1, max: 20 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('crashAfter' as const, 'killAfter' as const),
        operations: fc.integer({ min: 1, max: 30 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('fill' as const), freeBytes: fc.nat(2000) }) },
    { weight: 1, arbitrary: flag('makeRoom') },
    { weight: 1, arbitrary: flag('failSync') },
    { weight: 1, arbitrary: flag('crash') },
    { weight: 1, arbitrary: flag('kill') },
    { weight: 1, arbitrary: flag('reopen') },
  ),
  { minLength: 1, maxLength: 40 },
);

interface Entry {
  readonly id: number;
  readonly payload: Buffer;
  /** `open`: no answer yet, or one that promises nothing. */
  state: 'open' | 'acknowledged' | 'refused';
  index: number | undefined;
}

/** Runs the actions; throws where the log breaks a promise. */
class World {
  private readonly random;
  private readonly commitDelayMs: number;
  private readonly sim: SimDisk;
  private clock = createSimClock();
  private log: LogBus | undefined;
  private crashed: Promise<void> = new Promise(() => undefined);
  private readonly entries: Entry[] = [];
  private readonly committed = new Map<string, number>();
  private readonly requested = new Map<string, number>();

  constructor(seed: number) {
    this.random = createSimRandom(seed);
    this.commitDelayMs = this.random.next() < 0.5 ? 0 : 3;
    this.sim = createSimDisk(this.random);
  }

  async run(all: readonly Action[]): Promise<void> {
    for (const action of all) {
      this.log ??= await this.open();
      if (this.log !== undefined) {
        await this.orCrash(this.act(this.log, action));
      }
    }
    this.sim.setCapacity(Number.POSITIVE_INFINITY);
    this.sim.crash(this.random);
    this.crashed = new Promise(() => undefined);
    await this.open();
  }

  /** Waits for the work, or for the power cut, after which the next action opens the log anew. */
  private async orCrash<T>(work: Promise<T>): Promise<T | undefined> {
    const driven = this.clock.drive(work);
    driven.catch(() => undefined);
    const result = await Promise.race([driven.then((value) => ({ value })), this.crashed]);
    if (result === undefined) {
      this.log = undefined;
      this.crashed = new Promise(() => undefined);
    }
    return result?.value;
  }

  private async act(log: LogBus, action: Action): Promise<void> {
    switch (action.kind) {
      case 'append':
        return this.append(log, action.sizes, action.pauseMs);
      case 'consume':
        return this.consume(log, action.reader, action.maxRecords);
      case 'consumeMeanwhile':
        return this.consumeMeanwhile(log, action.reader, action.maxRecords);
      case 'crashAfter':
        this.crashed = this.sim.crashAfter(action.operations, this.random);
        return;
      case 'killAfter':
        this.crashed = this.sim.killAfter(action.operations, this.random);
        return;
      case 'fill':
        this.sim.setCapacity(this.usedBytes() + action.freeBytes);
        return;
      case 'makeRoom':
        this.sim.setCapacity(Number.POSITIVE_INFINITY);
        return;
      case 'failSync':
        this.sim.failNextSync();
        return;
      case 'crash':
        this.sim.crash(this.random);
        this.log = undefined;
        return;
      case 'kill':
        this.log = undefined;
        return;
      case 'reopen':
        await log.close();
        this.log = undefined;
    }
  }

  private usedBytes(): number {
    return this.sim.files().reduce((sum, path) => sum + this.sim.content(path).length, 0);
  }

  private async append(log: LogBus, sizes: readonly number[], pauseMs: number): Promise<void> {
    const half = Math.ceil(sizes.length / 2);
    const early = sizes.slice(0, half).map((size) => this.appendOne(log, size));
    await this.clock.sleep(pauseMs);
    await Promise.all([...early, ...sizes.slice(half).map((size) => this.appendOne(log, size))]);
  }

  /** One batch after the other: the log grows and begins new files while it is read. */
  private async consumeMeanwhile(log: LogBus, reader: string, maxRecords: number): Promise<void> {
    let isAppending = true;
    const appending = (async () => {
      for (let i = 0; i < 12; i++) {
        await this.appendOne(log, 800);
      }
      isAppending = false;
    })();
    while (isAppending && this.log !== undefined) {
      await this.consume(log, reader, maxRecords, 10);
    }
    await appending;
  }

  private async appendOne(log: LogBus, size: number): Promise<void> {
    const id = this.entries.length;
    const payload = Buffer.alloc(4 + size, id);
    payload.writeUInt32LE(id, 0);
    const entry: Entry = { id, payload, state: 'open', index: undefined };
    this.entries.push(entry);
    try {
      this.sawAt(entry, await log.append(payload));
      entry.state = 'acknowledged';
    } catch (error) {
      if (error instanceof FatalError) {
        this.log = undefined;
      } else {
        expect(error).toMatchObject({ code: 'log.diskFull' });
        entry.state = 'refused';
      }
    }
  }

  private async consume(log: LogBus, reader: string, maxRecords: number, waitMs = 0): Promise<void> {
    const from = log.cursor(reader);
    const records = await log.read(from, { maxRecords, maxBytes: 5000, waitMs });
    const next = (records.at(-1)?.index ?? from - 1) + 1;
    this.checkNoHoles(this.checkRecords(records), from, next);
    this.requested.set(reader, Math.max(next, this.requested.get(reader) ?? 0));
    try {
      await log.commit(reader, next);
    } catch (error) {
      expect(error).toBeInstanceOf(FatalError);
      this.log = undefined;
      return;
    }
    expect(log.cursor(reader)).toBeGreaterThanOrEqual(next);
    this.committed.set(reader, Math.max(next, this.committed.get(reader) ?? 0));
  }

  /** Opens the log as a new process and checks every promise; undefined when the power was cut or the disk failed meanwhile. */
  private async open(): Promise<LogBus | undefined> {
    this.clock = createSimClock(this.clock.now());
    const env = { clock: this.clock, random: this.random, disk: this.sim.boot() };
    const opening = async (): Promise<LogBus | undefined> => {
      let log: LogBus;
      try {
        log = await openSegmentLog(env, 'log', { ...options, commitDelayMs: this.commitDelayMs });
      } catch (error) {
        expect(error).toSatisfy(
          (cause: unknown) => cause instanceof Error && 'code' in cause && ['EIO', 'ENOSPC', 'log.syncFailed'].includes(String(cause.code)),
        );
        return undefined;
      }
      await this.check(log);
      return log;
    };
    return this.orCrash(opening());
  }

  private async check(log: LogBus): Promise<void> {
    for (const reader of readers) {
      expect(log.cursor(reader)).toBeGreaterThanOrEqual(this.committed.get(reader) ?? 0);
      expect(log.cursor(reader)).toBeLessThanOrEqual(this.requested.get(reader) ?? 0);
    }
    const found = new Set<number>();
    for (let next = 0; ; ) {
      const records = await log.read(next, { maxRecords: 50, maxBytes: 1e6, waitMs: 0 });
      if (records.length === 0) {
        break;
      }
      for (const index of this.checkRecords(records)) {
        expect(index).toBeGreaterThanOrEqual(next);
        found.add(index);
        next = index + 1;
      }
    }
    const doneBelow = Math.min(...readers.map((reader) => log.cursor(reader)));
    for (const { state, index } of this.entries) {
      if (state === 'acknowledged' && index !== undefined && index >= doneBelow) {
        expect(found, `acknowledged record ${index} is lost`).toContain(index);
      }
    }
  }

  /** Nothing invented, nothing refused, each at its index, in the order of the calls. */
  private checkRecords(records: readonly { readonly index: number; readonly payload: Uint8Array }[]): number[] {
    let lastId = -1;
    return records.map(({ index, payload }) => {
      const entry = this.entries[Buffer.from(payload).readUInt32LE(0)];
      if (entry === undefined || !entry.payload.equals(payload)) {
        throw new Error(`record ${index} was never appended`);
      }
      expect(entry.state).not.toBe('refused');
      expect(entry.id).toBeGreaterThan(lastId);
      lastId = entry.id;
      this.sawAt(entry, index);
      return index;
    });
  }

  /** A reader that commits `next` never comes back for what it was not given. */
  private checkNoHoles(given: readonly number[], from: number, next: number): void {
    for (const { state, index } of this.entries) {
      if (state === 'acknowledged' && index !== undefined && index >= from && index < next) {
        expect(given, `acknowledged record ${index} was skipped`).toContain(index);
      }
    }
  }

  private sawAt(entry: Entry, index: number): void {
    expect(entry.index ?? index).toBe(index);
    const other = this.entries.find((candidate) => candidate.index === index);
    expect(other ?? entry, `index ${index} came twice`).toBe(entry);
    entry.index = index;
  }
}

it('keeps every promise over crashes, kills, full disks and failing syncs', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), actions, (seed, all) => new World(seed).run(all)),
    { numRuns: Number(process.env.NHIP_LOG_RUNS ?? 300) },
  );
});
