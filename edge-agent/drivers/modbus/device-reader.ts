import { quality, type Value } from '@nhip/core/wire/sample';
import type { DriverDeps, Reading } from '../../driver.ts';
import { type Table, tables } from './address.ts';
import type { ModbusConfig, ModbusDeviceConfig } from './config.ts';
import type { CostMeter, RequestCost } from './cost.ts';
import { type DevicePoints, limitsFor } from './device-points.ts';
import { ModbusExceptionError, ModbusTimeoutError, ModbusWrongAnswerError } from './errors.ts';
import { isBitTable, type ReadRequest } from './pdu.ts';
import { type Block, planBlocks, type Span, split } from './plan.ts';
import type { Point } from './point.ts';
import { type LearnedRefusals, Refusals } from './refusals.ts';

/**
 * Reads all points of one device and learns what the device refuses.
 *
 * - Exception 2 or 3 (or 4 three times running: some devices mean the same by it) refuses a block: it is split until the address to blame
 *   stands alone. A single refused span gets bad quality; a place where only both sides together were refused becomes a cut in the
 *   plan. Both are tried again later (refusals.ts).
 * - At most `maxLearningRequests` requests per read go into that, so that healthy points keep their rate.
 * - No answer never splits anything. It ends the read; the next read starts with the block behind. A block that alone stays silent
 *   while others answer is left out for a while.
 * - The device as a whole did not answer when no request of a read got an answer.
 * - The plan follows the measured cost of a request.
 */

type Request = (request: ReadRequest) => Promise<Buffer>;

/** What is known about a block beyond the plan; kept while the plan has the same block. */
interface BlockState {
  readonly block: Block;
  /** Reads in a row that brought no values. */
  failures: number;
  retryAtMs: number;
}

type Outcome = 'read' | 'refused' | 'failed' | 'unsupported' | 'busy' | 'silent';

interface Cycle {
  readonly request: Request;
  readonly readings: Reading[];
  /** What scale factor registers said, by place. */
  readonly factors: Map<string, Value>;
  readonly scaled: { readonly point: Point; readonly raw: Value; readonly timestampMs: number }[];
  answered: boolean;
  learningRequests: number;
  silence: unknown;
}

const maxLearningRequests = 32;
const failuresBeforeStale = 3;
const failuresBeforeRefused = 3;
const firstRetryMs = 5_000;
const longestRetryMs = 60_000;
const replanEveryMs = 60_000;
/** A plan is made anew when a request costs so many times more or fewer registers than it was made for. */
const costChange = 1.5;

export class DeviceReader {
  readonly #device: ModbusDeviceConfig;
  readonly #config: ModbusConfig;
  readonly #deps: DriverDeps;
  readonly #points: DevicePoints;
  readonly #cost: CostMeter;
  readonly #refusals: Refusals;
  #blocks: readonly BlockState[] = [];
  #first = 0;
  #plannedCost: RequestCost;
  #plannedAtMs = 0;

  constructor(config: ModbusConfig, device: ModbusDeviceConfig, points: DevicePoints, cost: CostMeter, deps: DriverDeps) {
    this.#device = device;
    this.#config = config;
    this.#deps = deps;
    this.#points = points;
    this.#cost = cost;
    this.#refusals = new Refusals(points.spans, deps.clock, deps.random);
    this.#plannedCost = cost.cost();
    this.#plan();
  }

  /** Grows when something was learned or forgotten. */
  get learnedVersion(): number {
    return this.#refusals.version;
  }

  learned(): LearnedRefusals {
    return this.#refusals.learned();
  }

  restore(learned: LearnedRefusals): void {
    this.#refusals.restore(learned);
    this.#plan();
  }

  /** Reads every point once. Rejects when the device did not answer at all, and when `request` cannot go on. */
  async read(request: Request): Promise<readonly Reading[]> {
    const cycle: Cycle = {
      request,
      readings: [],
      factors: new Map(),
      scaled: [],
      answered: false,
      learningRequests: 0,
      silence: undefined,
    };
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
    if (silent === undefined && cycle.silence === undefined) planChanged = (await this.#tryAgain(cycle)) || planChanged;
    for (const bad of this.#refusals.bad) this.#push(cycle, [bad.span], quality.bad);
    if (planChanged || this.#hasCostChanged()) this.#plan();
    if (!cycle.answered) throw cycle.silence;
    if (silent !== undefined) this.#onSilentBlock(silent, cycle);
    this.#finishScaled(cycle);
    return cycle.readings;
  }

  #plan(): void {
    const before = new Map(this.#blocks.map((state) => [keyOf(state.block), state]));
    this.#plannedCost = this.#cost.cost();
    this.#plannedAtMs = this.#deps.clock.monotonic();
    const blocks = tables.flatMap((table) =>
      planBlocks(table, this.#refusals.readable(table), limitsFor(table, this.#config, this.#plannedCost), this.#refusals.cuts(table)),
    );
    this.#blocks = blocks.map((block) => ({ failures: 0, retryAtMs: 0, ...before.get(keyOf(block)), block }));
    this.#first = 0;
  }

  #hasCostChanged(): boolean {
    if (this.#deps.clock.monotonic() - this.#plannedAtMs < replanEveryMs) return false;
    this.#plannedAtMs = this.#deps.clock.monotonic();
    const change = breakEvenWords(this.#cost.cost()) / breakEvenWords(this.#plannedCost);
    return change > costChange || change < 1 / costChange;
  }

  async #attempt(block: Block, cycle: Cycle): Promise<Outcome> {
    const { clock } = this.#deps;
    try {
      const count = block.end - block.start;
      const startMs = clock.monotonic();
      const data = await cycle.request({ unit: this.#device.unit, table: block.table, start: block.start, count });
      this.#cost.observe(isBitTable(block.table) ? count / 16 : count, clock.monotonic() - startMs);
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
    const bytesPerAddress = isBitTable(block.table) ? 1 : 2;
    for (const span of block.spans) {
      const offset = (span.start - block.start) * bytesPerAddress;
      for (const index of span.points) {
        const factor = this.#points.factor(index);
        if (factor !== undefined) cycle.factors.set(factor.key, factor.decode(data, offset));
        const point = this.#points.all[index];
        if (point === undefined) continue;
        const raw = point.decode(data, offset);
        if (point.factor === undefined) cycle.readings.push(point.reading(raw, undefined, timestampMs));
        else cycle.scaled.push({ point, raw, timestampMs });
      }
    }
  }

  /** A value whose scale factor was not read in the same cycle is not known: the old factor may not be the one that it was sent with. */
  #finishScaled(cycle: Cycle): void {
    const bad = new Set(this.#refusals.bad.flatMap(({ span }) => span.points.map((index) => this.#points.factor(index)?.key)));
    for (const { point, raw, timestampMs } of cycle.scaled) {
      const key = this.#points.factorKey(point);
      if (cycle.factors.has(key)) cycle.readings.push(point.reading(raw, cycle.factors.get(key), timestampMs));
      else cycle.readings.push({ metric: point.metric, value: null, timestampMs, quality: bad.has(key) ? quality.bad : quality.stale });
    }
  }

  /** Splits a refused block until the refused addresses stand alone. Always changes the plan. */
  async #learn(block: Block, cycle: Cycle): Promise<boolean> {
    const parts = split(block);
    if (parts.length === 0) return this.#markBad(block.table, block.spans);
    let allRead = true;
    for (const part of parts) {
      if (cycle.learningRequests >= maxLearningRequests || cycle.silence !== undefined) {
        this.#refusals.addCut(block.table, part.start);
        allRead = false;
        continue;
      }
      cycle.learningRequests++;
      const outcome = await this.#attempt(part, cycle);
      if (outcome === 'read') continue;
      allRead = false;
      if (outcome === 'refused' || outcome === 'failed') await this.#learn(part, cycle);
      else this.#refusals.addCut(block.table, part.start);
    }
    if (allRead) for (const part of parts.slice(1)) this.#refusals.addCut(block.table, part.start);
    return true;
  }

  /** Always changes the plan. */
  #markBad(table: Table, spans: readonly Span[]): boolean {
    for (const span of spans) this.#refusals.addBad(table, span);
    const metrics = spans.flatMap((span) => span.points).map((index) => this.#points.all[index]?.metric ?? 'scale factor');
    const last = Math.max(...spans.map((span) => span.end)) - 1;
    this.#deps.log.warn(
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

  /** Tries one refused span again when its time has come, or when there is nothing else to see whether the device is there; or one cut. */
  async #tryAgain(cycle: Cycle): Promise<boolean> {
    const due = this.#refusals.dueBad(!cycle.answered);
    if (due === undefined) return this.#refusals.tryWithoutCut();
    const { table, span } = due;
    const outcome = await this.#attempt({ table, start: span.start, end: span.end, spans: [span] }, cycle);
    if (outcome !== 'read') return false;
    this.#refusals.forgive(due);
    this.#deps.log.info({ device: this.#device.id, table, first: span.start }, 'The device answers for this address again.');
    return true;
  }

  /** Readings without a value for points that were not read. */
  #push(cycle: Cycle, spans: readonly Span[], to: Reading['quality']): void {
    const timestampMs = this.#deps.clock.now();
    for (const index of spans.flatMap((span) => span.points)) {
      const metric = this.#points.all[index]?.metric;
      if (metric !== undefined) cycle.readings.push({ metric, value: null, timestampMs, quality: to });
    }
  }
}

function keyOf(block: Block): string {
  return `${block.table}:${block.start}:${block.end}`;
}

function breakEvenWords(cost: RequestCost): number {
  return cost.requestMs / cost.wordMs;
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
