/**
 * The server's database: what is committed outlives the server. It answers as real ones do: late, with errors, with an error
 * although it committed, with "never" for single samples; and an operator may put an older backup in its place.
 */
import type { Random } from '@nhip/core/process/env';
import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import { valueKind } from '@nhip/core/telemetry/sample-batch';
import type { Loss } from '@nhip/core/wire/loss';
import type { Checkpoint, HistoryStore, RefusedSample, StoreWrite } from '@nhip/stores/history-store';
import type { SimProcess } from './process.ts';

/** One stored sample; `value` as text says it. */
export interface StoredRow {
  readonly machine: string;
  readonly metric: string;
  readonly text: string;
  readonly timeMs: number;
  readonly tick: number;
  readonly quality: number;
}

/** How the next write is answered. `later`: committed, then the answer takes long. */
export type WriteFault = 'errorBefore' | 'errorAfter' | 'errorBetween' | 'later';

/** D3: samples and checkpoint at once. D2: samples first, idempotent by series, time and tick; the checkpoint after them. */
export type DatabaseKind = 'D3' | 'D2';

interface Content {
  readonly rows: readonly StoredRow[];
  readonly losses: readonly Loss[];
  readonly checkpoint: Checkpoint | undefined;
}

export interface Database {
  /** The store as a process of the server sees it. */
  open(process: SimProcess): HistoryStore;
  content(): Content;
  /** Puts `backup` in place of what is there. */
  restore(backup: Content): void;
  /** Answers to the next writes. */
  readonly faults: WriteFault[];
  /** Every call fails until this time of the simulation. */
  downUntilMs: number;
  /** A write takes this long. */
  writeMs: number;
  /** Picks samples that the database never takes. */
  refuses: (row: StoredRow) => boolean;
  /** Called with the checkpoint of each write before it is committed. */
  onCheckpoint: (checkpoint: Checkpoint) => void;
  /** Samples of the largest write. */
  readonly largestWrite: number;
}

export function createDatabase(kind: DatabaseKind, random: Random): Database {
  let rows: StoredRow[] = [];
  let places = new Map<string, number>();
  let losses: Loss[] = [];
  let checkpoint: Checkpoint | undefined;
  let largestWrite = 0;

  function put(added: readonly StoredRow[]): void {
    for (const row of added) {
      if (kind === 'D3') {
        rows.push(row);
        continue;
      }
      const key = `${row.machine}\n${row.metric}\n${row.timeMs}\n${row.tick}`;
      const place = places.get(key);
      if (place === undefined) {
        places.set(key, rows.length);
        rows.push(row);
      } else rows[place] = row;
    }
  }

  async function write(process: SimProcess, { batch, losses: reported, checkpoint: next, keepRefused }: StoreWrite): Promise<void> {
    const { clock } = process;
    largestWrite = Math.max(largestWrite, batch.length);
    database.onCheckpoint(next);
    const fault = database.faults.shift();
    await clock.sleep(database.writeMs * (0.5 + random.next()));
    checkUp(process);
    if (fault === 'errorBefore') throw failed('the write did not arrive');
    const all = rowsOf(batch);
    const refused = new Map<StoredRow, RefusedSample>();
    all.forEach((row, i) => {
      if (database.refuses(row)) refused.set(row, { row: i, reason: 'the database does not like it' });
    });
    const lettered = refused.size === 0 ? [] : await keepRefused([...refused.values()]);
    if (!process.isAlive) return new Promise(() => undefined);
    const taken = all.filter((row) => !refused.has(row));
    if (kind === 'D2' && fault === 'errorBetween') {
      put(taken.slice(0, Math.floor(random.next() * (taken.length + 1))));
      throw failed('the connection broke in the middle');
    }
    put(taken);
    losses.push(...reported, ...lettered);
    checkpoint = { nextIndex: next.nextIndex, decoder: next.decoder.slice(), repeats: next.repeats.slice() };
    if (fault === 'errorAfter') throw failed('the answer was lost');
    await clock.sleep(fault === 'later' ? 20_000 : 1);
  }

  function checkUp({ clock }: SimProcess): void {
    if (clock.monotonic() < database.downUntilMs) throw failed('the database is down');
  }

  const database: Database = {
    faults: [],
    downUntilMs: 0,
    writeMs: 4,
    refuses: () => false,
    onCheckpoint: () => undefined,
    get largestWrite() {
      return largestWrite;
    },
    content: () => ({ rows: [...rows], losses: [...losses], checkpoint }),
    restore(backup) {
      rows = [];
      places = new Map();
      put(backup.rows);
      losses = [...backup.losses];
      checkpoint = backup.checkpoint;
    },
    open(process) {
      const notAsked = (): Promise<never> =>
        Promise.reject(new PermanentError('store.notSimulated', 'The simulated database only takes data'));
      return {
        name: `simulated ${kind}`,
        durability: { class: kind, delayMs: 0 },
        async open() {
          await process.clock.sleep(1);
          checkUp(process);
          return checkpoint;
        },
        write: (data) => write(process, data),
        losses: async ({ limit }) => losses.slice(-limit).reverse(),
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
  };
  return database;
}

function rowsOf(batch: StoreWrite['batch']): readonly StoredRow[] {
  return Array.from({ length: batch.length }, (_, i) => {
    const value = batch.kind[i] === valueKind.none ? '' : String(batch.value(i));
    return {
      ...batch.series.at(batch.seriesId[i] as number),
      text: value,
      timeMs: batch.timeMs[i] as number,
      tick: batch.tick[i] as number,
      quality: batch.quality[i] as number,
    };
  });
}

function failed(why: string): RetryableError {
  return new RetryableError('store.writeFailed', `Simulated database: ${why}`);
}
