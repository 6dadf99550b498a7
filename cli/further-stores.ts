import type { LogSource } from '@nhip/core/log/log-bus';
import type { Env } from '@nhip/core/process/env';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import type { FurtherStore } from '@nhip/core/wire/live';
import type { IngestConfig } from '@nhip/ingest/config';
import { createIngest, type Ingest } from '@nhip/ingest/ingest';
import type { SendNodeCommand } from '@nhip/ingest/rebirth';
import { problemOf } from '@nhip/ingest/work-writer';
import type { Checkpoint, SampleStore } from '@nhip/stores/history-store';
import { createFurtherRequests } from './further-requests.ts';
import { createFurtherStore } from './history.ts';
import type { FurtherStoreConfig } from './server-config.ts';
import { createStoredCount } from './stored-count.ts';
import { createUpkeepPart } from './upkeep.ts';

export interface FurtherStoreDeps {
  readonly env: Env;
  readonly ingestConfig: IngestConfig;
  readonly log: Log;
  /** The log that the first store is filled from; there when the part starts. */
  logSource(): LogSource | undefined;
  /** Where the first store stands. A new one begins where that was when the role started, with the births that were known by then. */
  beginAt(): Checkpoint | undefined;
  readonly sendNodeCommand: SendNodeCommand;
}

const firstPauseMs = 1000;
const longestPauseMs = 30_000;
const lookEveryMs = 1000;

/**
 * Stores beside the first one. Each has an ingest of its own that reads the log on its own, so none delays the first one, another or the
 * screen. Its place is the checkpoint in the store itself; in the log it has no cursor and holds back nothing: a store that is away
 * longer than the log's kept tail reaches misses records, which are counted. Dead letters are those of the first store, as are requests
 * to edges, but for births that only this one lacks. Upkeep of an embedded one is its own. A store that cannot be opened is tried again for ever.
 */
export function createFurtherStores(
  configs: readonly FurtherStoreConfig[],
  deps: FurtherStoreDeps,
): Part & { stats(): readonly FurtherStore[] } {
  const stores = configs.map((config) => runStore(config, deps));
  return {
    name: 'further stores',
    start: async () => {
      for (const store of stores) store.start();
    },
    stop: async () => void (await Promise.all(stores.map((store) => store.stop()))),
    stats: () => stores.map((store) => store.stats()),
  };
}

interface Running {
  readonly store: SampleStore;
  readonly ingest: Ingest;
}

function runStore(
  config: FurtherStoreConfig,
  { env, ingestConfig, log: parent, logSource, beginAt, sendNodeCommand }: FurtherStoreDeps,
): { start(): void; stop(): Promise<void>; stats(): FurtherStore } {
  const { clock } = env;
  const log = parent.child({ store: config.name });
  const abort = new AbortController();
  const past = { leftOut: 0, missedRecords: 0 };
  const stored = createStoredCount();
  const requests = createFurtherRequests(clock, sendNodeCommand);
  let begin: Checkpoint | undefined;
  let current: Running | undefined;
  /** Kept while it is away: then it is only known how far it was. */
  let storedTo: number | undefined;
  let trouble: { readonly sinceMs: number; readonly code: string; readonly text: string } | undefined;
  let running: Promise<void> | undefined;

  function counts({ store, ingest }: Running): typeof past & { readonly stored: number } {
    const { stored: taken, missedRecords } = ingest.stats();
    const leftOut = store.leftOut?.() ?? 0;
    return { stored: taken - leftOut, leftOut, missedRecords };
  }

  function mark(run: Running): void {
    const to = run.ingest.checkpoint()?.nextIndex;
    if (to === undefined) return;
    storedTo = to;
    stored.mark(to, counts(run).stored);
  }

  /** Runs until the role stops, or the store must be begun anew. Rejects when it cannot be opened. */
  async function runOnce(source: LogSource): Promise<void> {
    const store = createFurtherStore(config, env);
    const ended = new AbortController();
    const upkeep =
      store.upkeep === undefined || config.type !== 'duckdb'
        ? undefined
        : createUpkeepPart(store.upkeep, { clock, log, atUtc: config.compaction.atUtc });
    const ingest: Ingest = createIngest(ingestConfig, {
      clock,
      log,
      store,
      logBus: { ...source, id: source.id, commit: async () => undefined },
      deadLetters: { append: async () => 0 },
      sendNodeCommand: requests,
      beginAt: () => begin,
      onFatal: () => ended.abort(),
    });
    try {
      await ingest.start();
      current = { store, ingest };
      stored.beginRun(ingest.checkpoint()?.nextIndex ?? 0);
      await upkeep?.start();
      if (trouble !== undefined) log.info({}, 'The further store is there');
      trouble = undefined;
      const until = AbortSignal.any([abort.signal, ended.signal]);
      while (!until.aborted && store.isSetBack?.() !== true) {
        await clock.sleep(lookEveryMs, until).catch(() => undefined);
        mark(current);
      }
      if (store.isSetBack?.() === true) log.warn({}, 'The further store was started anew; what it may have lost is written again');
    } finally {
      await upkeep?.stop();
      await ingest.stop().catch(() => undefined);
      if (current !== undefined) {
        mark(current);
        const { stored: taken, leftOut, missedRecords } = counts(current);
        stored.endRun(taken);
        past.leftOut += leftOut;
        past.missedRecords += missedRecords;
      }
      current = undefined;
      await store.close();
    }
  }

  async function run(): Promise<void> {
    for (let pauseMs = firstPauseMs; !abort.signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        const source = logSource();
        if (source === undefined) return;
        await runOnce(source);
        pauseMs = firstPauseMs;
      } catch (error) {
        const { code, text } = problemOf(error);
        if (trouble?.code !== code) log.error({ err: error }, 'The further store cannot be opened, trying until it can');
        trouble = { sinceMs: trouble?.sinceMs ?? clock.now(), code, text };
      }
      await clock.sleep(pauseMs, abort.signal).catch(() => undefined);
    }
  }

  return {
    start() {
      begin = beginAt();
      running = run();
    },
    async stop() {
      abort.abort();
      await running;
    },
    stats() {
      const now = current === undefined ? { stored: 0, leftOut: 0, missedRecords: 0 } : counts(current);
      const seen = current?.ingest.stats();
      const log = logSource()?.stats();
      const to = current?.ingest.checkpoint()?.nextIndex ?? storedTo ?? log?.firstIndex ?? 0;
      return {
        name: config.name,
        type: config.type,
        downSinceMs: trouble?.sinceMs ?? seen?.storeDownSinceMs ?? null,
        problem: trouble === undefined ? (seen?.storeProblem ?? null) : { code: trouble.code, text: trouble.text },
        recordsBehind: Math.max(0, (log?.nextIndex ?? 0) - to),
        lagMs: seen?.lagMs ?? 0,
        stored: stored.total() + now.stored,
        leftOut: past.leftOut + now.leftOut,
        missedRecords: past.missedRecords + now.missedRecords,
        upkeepProblem: current?.store.upkeep?.status().problem ?? null,
      };
    },
  };
}
