import { PermanentError } from '@nhip/core/process/errors';
import type { SimClock } from '@nhip/core/process/simulation/sim-clock';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';
import type { Database } from './database.ts';

/** Counts what was served and what reached the store, without keeping it: for runs with millions of samples. */
export interface Tally {
  /** Value number `count` of a series was handed out. */
  served(series: string, count: number): void;
  readonly database: Pick<Database, 'open' | 'onCheckpoint'>;
  /** From now on notes how long values take that are handed out and stored live. */
  watchLive(): void;
  samples(): number;
  stored(): number;
  lost(): number;
  slowestLiveMs(): number;
  violations(): string[];
}

interface Series {
  served: number;
  /** One bit per value. */
  bits: Uint8Array;
  stored: number;
}

export function createTally(clock: SimClock): Tally {
  const all = new Map<string, Series>();
  let doubled = 0;
  let invented = 0;
  let lost = 0;
  let slowestLiveMs = 0;
  let liveFromMs = Number.POSITIVE_INFINITY;
  let checkpoint: Checkpoint | undefined;

  function store(name: string, value: number, timeMs: number, isHistorical: boolean): void {
    const series = all.get(name);
    if (series === undefined || !(value >= 1 && value <= series.served)) {
      invented++;
      return;
    }
    const [byte, bit] = [value >>> 3, 1 << (value & 7)];
    if (((series.bits[byte] ?? 0) & bit) !== 0) doubled++;
    series.bits[byte] = (series.bits[byte] ?? 0) | bit;
    series.stored++;
    if (!isHistorical && timeMs >= liveFromMs) slowestLiveMs = Math.max(slowestLiveMs, clock.now() - timeMs);
  }

  const tally: Tally = {
    served(series, count) {
      const known = all.get(series) ?? { served: 0, bits: new Uint8Array(64), stored: 0 };
      known.served = count;
      if (count >>> 3 >= known.bits.length) {
        const larger = new Uint8Array(known.bits.length * 2);
        larger.set(known.bits);
        known.bits = larger;
      }
      all.set(series, known);
    },
    database: {
      onCheckpoint: () => undefined,
      open(process): HistoryStore {
        const notAsked = (): Promise<never> => Promise.reject(new PermanentError('store.notSimulated', 'The tally only takes data'));
        return {
          name: 'tally',
          durability: { class: 'D3', delayMs: 0 },
          open: async () => checkpoint,
          async write({ batch, losses, checkpoint: next }) {
            tally.database.onCheckpoint(next);
            await process.clock.sleep(5);
            for (let i = 0; i < batch.length; i++) {
              const { machine, metric } = batch.series.at(batch.seriesId[i] as number);
              if (!metric.startsWith('M')) continue;
              store(`${machine} ${metric}`, batch.number[i] as number, batch.timeMs[i] as number, batch.historical[i] === 1);
            }
            for (const { samples } of losses) lost += samples;
            checkpoint = { nextIndex: next.nextIndex, decoder: next.decoder.slice(), repeats: next.repeats.slice() };
          },
          losses: notAsked,
          delivery: notAsked,
          lossTotals: notAsked,
          series: () => [],
          latest: async () => [],
          range: notAsked,
          lastBefore: notAsked,
          changes: notAsked,
          buckets: notAsked,
          close: async () => undefined,
        };
      },
    },
    watchLive() {
      liveFromMs = clock.now();
    },
    samples: () => [...all.values()].reduce((sum, { served }) => sum + served, 0),
    stored: () => [...all.values()].reduce((sum, { stored }) => sum + stored, 0),
    lost: () => lost,
    slowestLiveMs: () => slowestLiveMs,
    violations() {
      const found: string[] = [];
      if (invented > 0) found.push(`C1 ${invented} stored that were never served`);
      if (doubled > 0) found.push(`C2 ${doubled} stored twice`);
      const [samples, stored] = [tally.samples(), tally.stored()];
      if (samples !== stored + lost) found.push(`C3 ${samples} served, ${stored} stored, ${lost} counted as lost`);
      return found;
    },
  };
  return tally;
}
