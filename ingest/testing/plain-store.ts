import { RetryableError } from '@nhip/core/process/errors';
import type { Loss } from '@nhip/core/wire/loss';
import type { Value } from '@nhip/core/wire/sample';
import type { Checkpoint, HistoryStore } from '@nhip/stores/history-store';

/** What a plain store keeps; a copy of it is a backup. */
export interface PlainContent {
  readonly rows: readonly { readonly machine: string; readonly metric: string; readonly t: number; readonly v: Value }[];
  readonly losses: readonly Loss[];
  readonly checkpoint: Checkpoint | undefined;
}

export interface PlainStore extends HistoryStore {
  content: PlainContent;
  /** How the next writes fail: before anything is written, or after all is. */
  readonly failures: ('before' | 'after')[];
  /** Values that it answers with "never". */
  readonly refuses: Set<Value>;
}

/** The writing half of the history contract in memory, for tests that need thousands of writes, failures and restored backups. */
export function createPlainStore(): PlainStore {
  const unused = async (): Promise<never> => {
    throw new Error('a plain store is not for reading');
  };
  const store: PlainStore = {
    name: 'plain',
    durability: { class: 'D3', delayMs: 0 },
    content: { rows: [], losses: [], checkpoint: undefined },
    failures: [],
    refuses: new Set(),
    open: async () => store.content.checkpoint,
    async write({ batch, losses, checkpoint, keepRefused }) {
      const failure = store.failures.shift();
      const rows = Array.from({ length: batch.length }, (_, row) => row);
      const refused = rows.filter((row) => store.refuses.has(batch.value(row)));
      const more = refused.length === 0 ? [] : await keepRefused(refused.map((row) => ({ row, reason: 'never' })));
      if (failure === 'before') throw new RetryableError('store.writeFailed', 'not written');
      const taken = rows
        .filter((row) => !refused.includes(row))
        .map((row) => ({ ...batch.series.at(batch.seriesId[row] as number), t: batch.timeMs[row] as number, v: batch.value(row) }));
      const { content } = store;
      store.content = { rows: [...content.rows, ...taken], losses: [...content.losses, ...losses, ...more], checkpoint };
      if (failure === 'after') throw new RetryableError('store.writeFailed', 'written, but the answer was lost');
    },
    losses: unused,
    delivery: unused,
    lossTotals: unused,
    series: () => [],
    latest: unused,
    range: unused,
    lastBefore: unused,
    changes: unused,
    buckets: unused,
    close: async () => {},
  };
  return store;
}
