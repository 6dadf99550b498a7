import type { LossReason } from '@nhip/core/wire/loss';
import type { Work } from './work.ts';
import type { StoreDown } from './work-writer.ts';

/** Numbers since the process started; samples, not messages. */
export interface IngestStats {
  readonly received: number;
  readonly stored: number;
  readonly repeated: number;
  /** By the decoder and by the store. */
  readonly deadLettered: number;
  readonly deadLetteredByReason: Readonly<Record<string, number>>;
  /** Samples that will never come, as edges reported it or ingest found out. */
  readonly lost: number;
  readonly lostByReason: Readonly<Partial<Record<LossReason, number>>>;
  /** Samples of dead letters that came back and were stored; in none of the other numbers. */
  readonly replayed: number;
  /** Records of the log that were gone before ingest read them. */
  readonly missedRecords: number;
  /** How often edges were asked for their births. */
  readonly rebirthsRequested: number;
  /** How often edges were asked for numbers again. */
  readonly resendsRequested: number;
  readonly batches: number;
  /** Age of the oldest record that is read but not stored; 0 when everything read is stored. */
  readonly lagMs: number;
  /** Since when nothing can be stored, ms UTC; null when the store is well. */
  readonly storeDownSinceMs: number | null;
  /** What is wrong with it then. */
  readonly storeProblem: Pick<StoreDown, 'code' | 'text'> | null;
  readonly nextIndex: number;
}

type Counts = Omit<IngestStats, 'deadLetteredByReason' | 'lostByReason' | 'lagMs' | 'storeDownSinceMs' | 'storeProblem' | 'nextIndex'>;

/** Counts; what a batch brought counts when it is stored. */
export interface IngestCounts {
  received(samples: number): void;
  rejected(reason: string, samples: number): void;
  missed(records: number): void;
  rebirthRequested(): void;
  resendRequested(): void;
  stored(work: Work): void;
  get(): Counts & Pick<IngestStats, 'deadLetteredByReason' | 'lostByReason'>;
}

export function createCounts(): IngestCounts {
  const counts = {
    received: 0,
    stored: 0,
    repeated: 0,
    deadLettered: 0,
    lost: 0,
    replayed: 0,
    missedRecords: 0,
    rebirthsRequested: 0,
    resendsRequested: 0,
    batches: 0,
  };
  const rejected = new Map<string, number>();
  const lost = new Map<LossReason, number>();
  const reject = (reason: string, samples: number): void => void rejected.set(reason, (rejected.get(reason) ?? 0) + samples);
  return {
    received(samples) {
      counts.received += samples;
    },
    rejected: reject,
    missed(records) {
      counts.missedRecords += records;
    },
    rebirthRequested() {
      counts.rebirthsRequested++;
    },
    resendRequested() {
      counts.resendsRequested++;
    },
    stored(work) {
      const refused = work.refused - work.refusedAgain;
      counts.batches++;
      counts.stored += work.batch.length - work.replayed - refused;
      counts.repeated += work.repeated;
      counts.deadLettered += work.rejected + refused;
      counts.replayed += work.replayed - work.refusedAgain;
      if (refused > 0) reject('storeRefused', refused);
      for (const { reason, samples } of work.losses.list()) {
        if (reason === 'deadLettered') continue;
        counts.lost += samples;
        lost.set(reason, (lost.get(reason) ?? 0) + samples);
      }
    },
    get: () => ({ ...counts, deadLetteredByReason: Object.fromEntries(rejected), lostByReason: Object.fromEntries(lost) }),
  };
}
