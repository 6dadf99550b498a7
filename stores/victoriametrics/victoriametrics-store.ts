import type { Clock, Timer } from '@nhip/core/process/env';
import { PermanentError } from '@nhip/core/process/errors';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { RefusedSample, SampleStore, StoreAbility } from '../history-store.ts';
import { authorizationOf, readSecret } from '../influxdb/access.ts';
import { createBatchSender } from '../influxdb/batch-sender.ts';
import { createHttpClient } from '../influxdb/http-client.ts';
import { unfitReason } from '../influxdb/sample-lines.ts';
import type { VictoriametricsConfig } from './config.ts';
import { type CheckpointPlace, createLateCheckpoints, readCheckpointFile, writeCheckpointFile } from './late-checkpoints.ts';
import { createNumberEncoder, isNumeric } from './number-lines.ts';
import { createVmServer, type ServerLook } from './vm-server.ts';

/** VictoriaMetrics 1.79 was seen to lose rows 8 s after its reply, which queries showed already, and to keep them at 20 s. */
export const durableAfterMs = 60_000;
const lookEveryMs = 5000;

const dayMs = 86_400_000;
/** The server drops what is further ahead. */
const maxFutureMs = 2 * dayMs;
/** A sample this close to the end of the retention may be beyond it when it arrives. */
const retentionMarginMs = 60_000;

export const victoriametricsCannot: Readonly<Partial<Record<StoreAbility, string>>> = {
  query: 'it answers PromQL only, of which no history of texts and losses can be made',
  losses: 'it keeps numbers only: the first store has the losses',
  text: 'it would store the number 0 in place of a text',
  noValue: 'a series of it has numbers or ends',
  exactNumbers: 'it stores decimal numbers of about 12 digits: the rest is rounded away',
  exactIntegers: 'it stores decimal numbers of about 12 digits: the rest is rounded away',
  booleans: 'they are stored as 0 and 1',
  sameMillisecond: 'its time stamps are ms, and of several samples in one it keeps one (-dedup.minScrapeInterval=1ms)',
};

/**
 * Samples in a VictoriaMetrics server, class D1: it answers before it has written, so the checkpoint is kept here, in a small file, and
 * only moves when `durableAfterMs` have passed since the reply and the same process of the server still runs. When another one answers, it
 * is set back. Throws PermanentError when a secret's file cannot be read.
 */
export function createVictoriametricsStore(
  config: VictoriametricsConfig,
  { clock, place }: { readonly clock: Clock; readonly place: CheckpointPlace },
): SampleStore {
  const { url, requestTimeoutMs, maxInFlight } = config;
  const http = createHttpClient({
    url,
    authorization: authorizationOf(config),
    ca: config.caFile === undefined ? undefined : readSecret(config.caFile, 'caFile'),
    maxSockets: maxInFlight + 1,
    product: 'VictoriaMetrics',
  });
  const server = createVmServer(http, { url, requestTimeoutMs });
  const sender = createBatchSender(server, createNumberEncoder(), maxInFlight);
  const late = createLateCheckpoints(durableAfterMs);
  let seen: ServerLook | undefined;
  let isSetBack = false;
  /** The last request failed: the server may be another one now. */
  let isDoubtful = false;
  let leftOut = 0;
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();
  let looking: Promise<void> = Promise.resolve();

  /** Whether the process that answered us still runs. Rejects when nobody answers. */
  async function lookAgain(before: ServerLook): Promise<void> {
    const now = await server.look();
    isDoubtful = false;
    if (now.startedS === before.startedS) {
      if (seen !== undefined) seen = now;
    } else {
      isSetBack = true;
      late.forget();
    }
  }

  /** Moves the checkpoint in the file as far as everything is durable. A server that is away is asked again later. */
  async function moveCheckpoint(before: ServerLook): Promise<void> {
    const atMs = clock.monotonic();
    await lookAgain(before);
    const durable = isSetBack ? undefined : late.takeDurable(atMs);
    if (durable !== undefined) await writeCheckpointFile(place, url, durable);
  }

  function lookLater(): void {
    timer = clock.after(lookEveryMs, () => {
      if (seen === undefined) return;
      looking = moveCheckpoint(seen).then(undefined, () => {
        isDoubtful = true;
      });
      void looking.then(() => (seen === undefined ? undefined : lookLater()));
    });
  }

  async function writeAll(batch: SampleBatch, keepRefused: (refused: readonly RefusedSample[]) => Promise<unknown>): Promise<void> {
    if (seen === undefined) throw new PermanentError('store.closed', `The store ${url} is not open`);
    const before = seen;
    const early = sender.takeAhead(batch);
    const arrived = await early?.refused;
    if (early !== undefined && arrived === undefined) isDoubtful = true;
    if (isDoubtful) await lookAgain(before);
    const { refused, unkept } = sort(batch, before.retentionMs, clock.now());
    const unfit = early?.unfit ?? refused;
    if (unfit.length > 0) await keepRefused(unfit);
    try {
      if (arrived === undefined) await sender.send(batch, new Set(unfit.map(({ row }) => row)));
    } catch (error) {
      isDoubtful = true;
      throw error;
    }
    leftOut += unkept;
  }

  return {
    name: 'victoriametrics',
    durability: { class: 'D1', delayMs: durableAfterMs },
    cannot: victoriametricsCannot,
    isSetBack: () => isSetBack,
    leftOut: () => leftOut,

    async open() {
      if (seen === undefined) {
        seen = await server.look();
        isSetBack = false;
        isDoubtful = false;
        late.forget();
        lookLater();
      }
      return readCheckpointFile(place, url);
    },

    ahead(batch) {
      const { retentionMs } = seen ?? {};
      if (seen !== undefined && !isDoubtful) sender.ahead(batch, () => sort(batch, retentionMs, clock.now()).refused);
    },

    write({ batch, checkpoint, keepRefused }) {
      writing = writeAll(batch, keepRefused).then(() => {
        if (!isSetBack) late.replied(checkpoint, clock.monotonic());
      });
      return writing;
    },

    async close() {
      seen = undefined;
      timer?.cancel();
      await Promise.allSettled([writing, looking, sender.settled()]);
      http.close();
    },
  };
}

/** Rows that the server would drop without a word, and how many have no number to keep. */
function sort(
  batch: SampleBatch,
  retentionMs: number | undefined,
  nowMs: number,
): { readonly refused: readonly RefusedSample[]; readonly unkept: number } {
  const earliestMs = retentionMs === undefined ? 0 : nowMs - retentionMs + retentionMarginMs;
  const refused: RefusedSample[] = [];
  let unkept = 0;
  for (let row = 0; row < batch.length; row++) {
    if (!isNumeric(batch, row)) {
      unkept++;
      continue;
    }
    const ms = batch.timeMs[row] as number;
    const reason =
      unfitReason(batch, row) ??
      (ms < earliestMs ? 'older than the retention of the server' : ms > nowMs + maxFutureMs ? 'more than two days ahead' : undefined);
    if (reason !== undefined) refused.push({ row, reason });
  }
  return { refused, unkept };
}
