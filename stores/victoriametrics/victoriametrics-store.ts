import type { Clock } from '@nhip/core/process/env';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { RefusedSample, SampleStore, StoreAbility } from '../history-store.ts';
import { authorizationOf, readSecret } from '../influxdb/access.ts';
import { createHttpClient } from '../influxdb/http-client.ts';
import { unfitReason } from '../influxdb/sample-lines.ts';
import type { CheckpointPlace } from '../late/late-checkpoints.ts';
import { createLateStore } from '../late/late-store.ts';
import type { VictoriametricsConfig } from './config.ts';
import { createNumberEncoder, isNumeric } from './number-lines.ts';
import { createVmServer } from './vm-server.ts';

/** VictoriaMetrics 1.79 was seen to lose rows 8 s after its reply, which queries showed already, and to keep them at 20 s. */
export const durableAfterMs = 60_000;

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
 * Samples in a VictoriaMetrics server, class D1: it answers before it has written. Throws PermanentError when a secret's file cannot be
 * read.
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
  return createLateStore({
    name: 'victoriametrics',
    target: url,
    cannot: victoriametricsCannot,
    durableAfterMs,
    maxInFlight,
    server: createVmServer(http, { url, requestTimeoutMs }),
    encoder: createNumberEncoder(),
    clock,
    place,
    unfit: (batch, { retentionMs }) => unfitSamples(batch, retentionMs, clock.now()),
    leftOut: withoutNumber,
    disconnect: () => http.close(),
  });
}

/** Rows that the server would drop without a word. */
function unfitSamples(batch: SampleBatch, retentionMs: number | undefined, nowMs: number): readonly RefusedSample[] {
  const earliestMs = retentionMs === undefined ? 0 : nowMs - retentionMs + retentionMarginMs;
  const latestMs = nowMs + maxFutureMs;
  const refused: RefusedSample[] = [];
  for (let row = 0; row < batch.length; row++) {
    if (!isNumeric(batch, row)) continue;
    const ms = batch.timeMs[row] as number;
    const reason =
      unfitReason(batch, row) ??
      (ms < earliestMs ? 'older than the retention of the server' : ms > latestMs ? 'more than two days ahead' : undefined);
    if (reason !== undefined) refused.push({ row, reason });
  }
  return refused;
}

/** How many samples have no number to keep. */
function withoutNumber(batch: SampleBatch): number {
  let count = 0;
  for (let row = 0; row < batch.length; row++) if (!isNumeric(batch, row)) count++;
  return count;
}
