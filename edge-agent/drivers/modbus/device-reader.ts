import { quality } from '@nhip/core/wire/sample';
import type { DriverDeps, Reading } from '../../driver.ts';
import { type Table, tables } from './address.ts';
import type { ModbusConfig, ModbusDeviceConfig } from './config.ts';
import { ModbusExceptionError, ModbusTimeoutError, ModbusWrongAnswerError, type ReadRequest } from './pdu.ts';
import { type Block, planBlocks, type Span, spansOf, split } from './plan.ts';
import { createPoint, type Point } from './point.ts';

/**
 * Reads all points of one device and learns what the device refuses.
 *
 * - Exception 2 or 3 (or 4 three times running: some devices mean the same by it) refuses a block: it is split until the address to blame
 *   stands alone. A single refused span gets bad quality and is tried again every ten minutes; a place where only both sides
 *   together were refused becomes a cut in the plan.
 * - At most `maxLearningRequests` requests per read go into that, so that healthy points keep their rate.
 * - No answer never splits anything. It ends the read; the next read starts with the block behind. A block that alone stays silent
 *   while others answer is left out for a while.
 * - The device as a whole did not answer when no request of a read got an answer.
 */

type Request = (request: ReadRequest) => Promise<Buffer>;

/** What is known about a block beyond the plan; forgotten when the plan changes. */
interface BlockState {
  readonly block: Block;
  /** Reads in a row that brought no values. */
  failures: number;
  retryAtMs: number;
}

interface BadSpan {
  readonly table: Table;
  readonly span: Span;
  probeAtMs: number;
}

type Outcome = 'read' | 'refused' | 'failed' | 'unsupported' | 'busy' | 'silent';

interface Cycle {
  readonly request: Request;
  readonly readings: Reading[];
  answered: boolean;
  learningRequests: number;
  silence: unknown;
}

const maxLearningRequests = 32;
const failuresBeforeStale = 3;
const failuresBeforeRefused = 3;
const firstRetryMs = 5_000;
const longestRetryMs = 60_000;
const probeEveryMs = 600_000;

export class DeviceReader {
  readonly #device: ModbusDeviceConfig;
  readonly #config: ModbusConfig;
  readonly #deps: DriverDeps;
  readonly #points: readonly Point[];
  readonly #spans: Readonly<Record<Table, readonly Span[]>>;
  readonly #cuts: Readonly<Record<Table, Set<number>>>;
  #bad: BadSpan[] = [];
  #blocks: BlockState[] = [];
  #first = 0;

  constructor(config: ModbusConfig, device: ModbusDeviceConfig, deps: DriverDeps) {
    this.#device = device;
    this.#config = config;
    this.#deps = deps;
    this.#points = device.tags.map((tag) => createPoint(tag, deps.log.child({ device: device.id })));
    const addresses = this.#points.map((point) => point.address);
    this.#spans = perTable((table) => spansOf(addresses, table));
    this.#cuts = perTable(() => new Set<number>());
    this.#plan();
  }

  /** Reads every point once. Rejects when the device did not answer at all, and when `request` cannot go on. */
  async read(request: Request): Promise<readonly Reading[]> {
    const cycle: Cycle = { request, readings: [], answered: false, learningRequests: 0, silence: undefined };
    const { clock } = this.#deps;
    const states = this.#blocks;
    const allSuspended = states.every((state) => state.retryAtMs > clock.monotonic());
    let planChanged = false;
    let silent: BlockState | undefined;
    for (let i = 0; i < states.length && silent === undefined; i++) {
      const index = (this.#first + i) % states.length;
      const state = states[index] as BlockState;
      if (state.retryAtMs > clock.monotonic() && !allSuspended) {
        this.#push(cycle, state.block.spans, quality.stale);
        continue;
      }
      const outcome = await this.#attempt(state.block, cycle);
      if (outcome === 'read') state.failures = 0;
      if (outcome === 'busy' && ++state.failures >= failuresBeforeStale) this.#push(cycle, state.block.spans, quality.stale);
      if (outcome === 'refused' || (outcome === 'failed' && ++state.failures >= failuresBeforeRefused)) {
        planChanged = await this.#learn(state.block, cycle);
      }
      if (outcome === 'unsupported') planChanged = this.#markBad(state.block.table, state.block.spans);
      if (outcome === 'silent') {
        silent = state;
        this.#first = (index + 1) % states.length;
      }
    }
    if (silent === undefined && cycle.silence === undefined) planChanged = (await this.#probeBad(cycle)) || planChanged;
    for (const bad of this.#bad) this.#push(cycle, [bad.span], quality.bad);
    if (planChanged) this.#plan();
    if (!cycle.answered) throw cycle.silence;
    if (silent !== undefined) this.#onSilentBlock(silent, cycle);
    return cycle.readings;
  }

  #plan(): void {
    const bad = new Set(this.#bad.map((each) => each.span));
    const blocks = tables.flatMap((table) => {
      const isBit = table === 'coil' || table === 'discrete';
      const limits = isBit
        ? { maxCount: this.#config.maxBits, maxGap: this.#config.maxGapBits }
        : { maxCount: this.#config.maxWords, maxGap: this.#config.maxGapWords };
      const spans = this.#spans[table].filter((span) => !bad.has(span));
      return planBlocks(table, spans, limits, this.#cuts[table]);
    });
    this.#blocks = blocks.map((block) => ({ block, failures: 0, retryAtMs: 0 }));
    this.#first = 0;
  }

  async #attempt(block: Block, cycle: Cycle): Promise<Outcome> {
    try {
      const count = block.end - block.start;
      const data = await cycle.request({ unit: this.#device.unit, table: block.table, start: block.start, count });
      cycle.answered = true;
      this.#decode(block, data, cycle);
      return 'read';
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome === 'silent') cycle.silence = error;
      else cycle.answered = true;
      return outcome;
    }
  }

  #decode(block: Block, data: Buffer, cycle: Cycle): void {
    const timestampMs = this.#deps.clock.now();
    const bytesPerAddress = block.table === 'coil' || block.table === 'discrete' ? 1 : 2;
    for (const span of block.spans) {
      const offset = (span.start - block.start) * bytesPerAddress;
      for (const point of span.points) cycle.readings.push((this.#points[point] as Point).read(data, offset, timestampMs));
    }
  }

  /** Splits a refused block until the refused addresses stand alone. Always changes the plan. */
  async #learn(block: Block, cycle: Cycle): Promise<boolean> {
    const parts = split(block);
    if (parts.length === 0) return this.#markBad(block.table, block.spans);
    const cuts = this.#cuts[block.table];
    let allRead = true;
    for (const part of parts) {
      if (cycle.learningRequests >= maxLearningRequests || cycle.silence !== undefined) {
        cuts.add(part.start);
        allRead = false;
        continue;
      }
      cycle.learningRequests++;
      const outcome = await this.#attempt(part, cycle);
      if (outcome === 'read') continue;
      allRead = false;
      if (outcome === 'refused' || outcome === 'failed') await this.#learn(part, cycle);
      else cuts.add(part.start);
    }
    if (allRead) for (const part of parts.slice(1)) cuts.add(part.start);
    return true;
  }

  /** Always changes the plan. */
  #markBad(table: Table, spans: readonly Span[]): boolean {
    const { clock, log, random } = this.#deps;
    for (const span of spans) {
      // Spread the probes: a device with many bad points must not get them all at once.
      this.#bad.push({ table, span, probeAtMs: clock.monotonic() + probeEveryMs * (0.9 + 0.2 * random.next()) });
      const later = this.#spans[table].find((other) => other.start > span.start);
      if (later !== undefined) this.#cuts[table].add(later.start);
    }
    const metrics = spans.flatMap((span) => span.points).map((point) => this.#points[point]?.metric);
    const last = Math.max(...spans.map((span) => span.end)) - 1;
    log.warn(
      { device: this.#device.id, metrics, table, first: spans[0]?.start, last },
      'The device refuses these addresses: check them, and whether its manual counts from 0 or from 1.',
    );
    return true;
  }

  #onSilentBlock(state: BlockState, cycle: Cycle): void {
    const { clock, log } = this.#deps;
    state.failures++;
    if (state.failures < failuresBeforeStale) return;
    const doublings = Math.min(state.failures - failuresBeforeStale, 10);
    state.retryAtMs = clock.monotonic() + Math.min(firstRetryMs * 2 ** doublings, longestRetryMs);
    this.#push(cycle, state.block.spans, quality.stale);
    if (state.failures > failuresBeforeStale) return;
    const { table, start, end } = state.block;
    log.warn(
      { device: this.#device.id, table, first: start, last: end - 1 },
      'The device stays silent for these addresses and answers for others.',
    );
  }

  /** Tries one refused span again when its time has come, or when there is nothing else to see whether the device is there. */
  async #probeBad(cycle: Cycle): Promise<boolean> {
    const { clock, log } = this.#deps;
    const now = clock.monotonic();
    const due = this.#bad.find((bad) => bad.probeAtMs <= now) ?? (cycle.answered ? undefined : this.#bad[0]);
    if (due === undefined) return false;
    due.probeAtMs = now + probeEveryMs;
    const { table, span } = due;
    const outcome = await this.#attempt({ table, start: span.start, end: span.end, spans: [span] }, cycle);
    if (outcome !== 'read') return false;
    this.#bad = this.#bad.filter((bad) => bad !== due);
    log.info({ device: this.#device.id, table, first: span.start }, 'The device answers for this address again.');
    return true;
  }

  /** Readings without a value for points that were not read. */
  #push(cycle: Cycle, spans: readonly Span[], to: Reading['quality']): void {
    const timestampMs = this.#deps.clock.now();
    for (const span of spans) {
      for (const point of span.points) {
        cycle.readings.push({ metric: (this.#points[point] as Point).metric, value: null, timestampMs, quality: to });
      }
    }
  }
}

/** Gateway exceptions 10 and 11 say that the device behind it did not answer. What ends the connection is thrown on. */
function outcomeOf(error: unknown): Outcome {
  if (error instanceof ModbusTimeoutError || error instanceof ModbusWrongAnswerError) return 'silent';
  if (!(error instanceof ModbusExceptionError)) throw error;
  return exceptionOutcomes[error.exceptionCode] ?? 'busy';
}

const exceptionOutcomes: Readonly<Record<number, Outcome>> = {
  1: 'unsupported',
  2: 'refused',
  3: 'refused',
  4: 'failed',
  10: 'silent',
  11: 'silent',
};

function perTable<T>(make: (table: Table) => T): Record<Table, T> {
  return { coil: make('coil'), discrete: make('discrete'), input: make('input'), holding: make('holding') };
}
