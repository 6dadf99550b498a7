import type { DuckDBConnection } from '@duckdb/node-api';
import { PermanentError, reasonOf } from '@nhip/core/process/errors';
import type { SeriesInfo, UpkeepStatus } from '../history-store.ts';
import { type ColdFile, coldFilesMissing, missingColdFiles, sweepColdFiles } from './cold-catalog.ts';
import type { ColdStore } from './cold-store.ts';
import { compactSlice } from './compactor.ts';
import { completeMinutes, type Incomplete, incompleteMinutes } from './complete-minutes.ts';
import type { DuckdbConfig } from './config.ts';
import { freeBytes } from './disk-room.ts';
import { chooseLate, forgetLate } from './late.ts';
import { cutoffOf, expire } from './retention.ts';
import { dayMs, type HourCount, planSlices, type Slice } from './slices.ts';

export interface UpkeepDeps {
  readonly cold: ColdStore;
  readonly config: Pick<DuckdbConfig, 'compaction' | 'retention' | 'memoryLimitMb'>;
  /** A connection of its own, while the store is open. */
  connection(): DuckDBConnection;
  /** All that are known, by id. */
  series(): readonly SeriesInfo[];
  /** Runs one step while no copy is made of the store. */
  alone<Result>(step: () => Promise<Result>): Promise<Result>;
}

/** A day is closed this long after its end: what an edge holds back for a moment is not late then. */
const graceMs = 600_000;

/** What sorting a slice may take of the memory that ingest and queries share with it; measured with 130 B a row to sort. */
const rowsPerMb = 4000;

const bytesPerMb = 1_048_576;
/** Samples and roll-ups on disk, at most: twice what values that change with every sample took. */
const bytesPerRow = 40;

interface Failed {
  readonly slice: Slice;
  readonly error: unknown;
}

export interface Upkeep {
  run(nowMs: number, signal?: AbortSignal): Promise<void>;
  status(): UpkeepStatus;
}

/** Compaction, then retention, in steps of one slice each; the signal ends the round and gives up a slice that is being written. */
export function createUpkeep({ cold, config, connection, series, alone }: UpkeepDeps): Upkeep {
  const totals = { slices: 0, lateSlices: 0, movedSamples: 0, expiredFiles: 0, expiredSamples: 0 };
  let state: UpkeepStatus['state'] = 'idle';
  let waiting = 0;
  let waitingLateSamples = 0;
  let lastEndMs: number | null = null;
  let problem: string | null = null;

  async function compact(slice: Slice, signal: AbortSignal | undefined): Promise<void> {
    const old = slice.isLate ? cold.current().files.filter(({ fromMs }) => fromMs === slice.fromMs) : [];
    const own = connection();
    try {
      const { moved } = await compactSlice(own, cold.folder, { slice, old, series: series(), signal }, (commit) =>
        cold.switchTo(own, commit),
      );
      totals.slices++;
      if (slice.isLate) {
        totals.lateSlices++;
        await forgetLate(own, slice);
      }
      totals.movedSamples += moved;
    } finally {
      // The end of the round says what cannot be removed.
      await sweepColdFiles(own, cold.folder).catch(() => undefined);
    }
  }

  /** One slice that cannot be moved keeps back no other. Resolves with those that could not. */
  async function compactAll(slices: readonly Slice[], signal: AbortSignal | undefined): Promise<readonly Failed[]> {
    const failed: Failed[] = [];
    waiting = slices.length;
    for (const slice of slices) {
      signal?.throwIfAborted();
      try {
        await requireRoom(`${slice.name} stays in the database`, slice.hotRows + slice.coldRows);
        await alone(() => compact(slice, signal));
        waiting--;
      } catch (error) {
        signal?.throwIfAborted();
        failed.push({ slice, error });
      }
    }
    return failed;
  }

  /** Samples whose minutes cannot be completed are kept. Resolves with the first error. */
  async function completeAll(all: readonly Incomplete[], signal: AbortSignal | undefined): Promise<unknown> {
    let first: unknown;
    for (const each of all) {
      signal?.throwIfAborted();
      try {
        await requireRoom(`${each.samples.name} is kept, though it is old enough to go`, each.samples.rows);
        await alone(() => completeMinutes(connection(), cold, each, signal));
      } catch (error) {
        signal?.throwIfAborted();
        first ??= error;
      }
    }
    return first;
  }

  /** A file that fills the disk would stop the log beside it. */
  async function requireRoom(consequence: string, rows: number): Promise<void> {
    const free = await freeBytes(cold.folder);
    const wanted = config.compaction.minFreeMb * bytesPerMb + rows * bytesPerRow;
    if (free >= wanted) return;
    const mb = (bytes: number): string => (bytes / bytesPerMb).toFixed(0);
    throw new PermanentError(
      'store.diskLow',
      `${consequence}: the disk of ${cold.folder} has ${mb(free)} MB free, its files need ${mb(wanted)} MB with the reserve ` +
        '(compaction.minFreeMb); make room',
    );
  }

  const missingFiles = (): readonly ColdFile[] => missingColdFiles(cold.folder, cold.current().files);

  /** Whatever asks for their days fails: somebody must hear of it before that. */
  function requireFiles(): void {
    const missing = missingFiles();
    if (missing.length > 0) throw coldFilesMissing(cold.folder, missing);
  }

  return {
    async run(nowMs, signal) {
      state = 'running';
      try {
        const closedBeforeMs = Math.floor((nowMs - graceMs) / dayMs) * dayMs;
        const maxSliceRows = Math.min(config.compaction.maxFileRows, config.memoryLimitMb * rowsPerMb);
        const counts = await countHot(connection(), closedBeforeMs);
        const gone = new Set(missingFiles().map(({ fromMs }) => fromMs));
        const planned = planSlices(counts, cold.current().files, { closedBeforeMs, maxSliceRows });
        const cutoff = await cutoffOf(connection(), config.retention, nowMs);
        const hotOfFiles = planned.filter(({ isLate, fromMs }) => isLate && !gone.has(fromMs));
        const times = { nowMs, expiringBeforeMs: cutoff.samples };
        const late = await alone(() => chooseLate(connection(), hotOfFiles, config.compaction, times));
        waitingLateSamples = late.waiting.reduce((sum, { hotRows }) => sum + hotRows, 0);
        const failed = await compactAll([...planned.filter(({ isLate }) => !isLate), ...late.due], signal);
        signal?.throwIfAborted();
        const spared = [...failed.map(({ slice }) => slice), ...late.waiting];
        const begins = new Set(spared.map(({ fromMs }) => fromMs));
        // Those of spared slices are written anew with their late samples.
        const sparse = incompleteMinutes(cold.current(), cutoff).filter(({ samples }) => !begins.has(samples.fromMs));
        const incomplete = await completeAll(sparse, signal);
        const expired = await alone(() => expire(connection(), cold, cutoff, spared));
        totals.expiredFiles += expired.files;
        totals.expiredSamples += expired.samples;
        let trouble = failed[0]?.error ?? incomplete;
        await alone(() => sweepColdFiles(connection(), cold.folder)).catch((error: unknown) => {
          trouble ??= error;
        });
        if (trouble !== undefined) throw trouble;
        requireFiles();
        lastEndMs = nowMs;
        problem = null;
      } catch (error) {
        signal?.throwIfAborted();
        problem = reasonOf(error);
        throw error;
      } finally {
        state = 'idle';
      }
    },
    status() {
      const { files } = cold.current();
      const samples = files.filter(({ kind }) => kind === 'samples');
      return {
        state,
        waitingSlices: waiting,
        waitingLateSamples,
        lastEndMs,
        problem,
        ...totals,
        coldFiles: files.length,
        coldSamples: samples.reduce((sum, { rows }) => sum + rows, 0),
        coldBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        coldToMs: samples.at(-1)?.toMs ?? null,
      };
    },
  };
}

/** Hot samples of closed days by hour. */
async function countHot(connection: DuckDBConnection, beforeMs: number): Promise<readonly HourCount[]> {
  const hours = (table: string): string =>
    `SELECT epoch_ms(t) // 3600000 AS h FROM ${table} WHERE t < make_timestamp_ms($before::BIGINT) AND t >= make_timestamp_ms(0)`;
  const result = await connection.runAndReadAll(
    `SELECT h::DOUBLE, count(*)::DOUBLE FROM (${hours('samples')} UNION ALL ${hours('texts')}) GROUP BY h ORDER BY h`,
    { before: beforeMs },
  );
  return result.getRows().map(([hour, rows]) => ({ hourMs: Number(hour) * 3_600_000, rows: Number(rows) }));
}
