/**
 * A long outage on virtual time: an edge with many tags goes on reading while the line is down, then delivers its backlog beside
 * live values. Checks that everything arrives once, that nobody's memory grows with the outage, and that live values stay quick.
 */
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { createAuditor } from './factory/auditor.ts';
import { createEdgeMachine } from './factory/edge-machine.ts';
import type { Journal } from './factory/journal.ts';
import type { Say } from './factory/log.ts';
import { createServerMachine } from './factory/server-machine.ts';
import { createWatch } from './factory/watch.ts';
import type { ClientEnd, DownPacket, UpPacket } from './world/mqtt.ts';
import { createPath } from './world/network.ts';
import { createTally } from './world/tally.ts';

export interface OutageOptions {
  readonly hours: number;
  readonly tags: number;
  readonly intervalMs: number;
  readonly outboxBytes: number;
  /** Frees what is not used, so that memory can be compared; without it memory is not measured. */
  collectGarbage?(): void;
}

export interface OutageReport {
  readonly samples: number;
  readonly stored: number;
  readonly lost: number;
  /** Simulated time from the end of the outage until the backlog was stored. */
  readonly drainedAfterMs: number;
  /** From the reading to the store, of the slowest live value, while the backlog was delivered and shortly after. */
  readonly slowestLiveMs: number;
  /** Heap during the outage: after its first tenth, at its end. MB. */
  readonly heapMb: readonly [number, number] | undefined;
  readonly violations: readonly string[];
}

const tagsPerDevice = 100;
const hourMs = 3_600_000;
const edgeId = 'g/e0';
const windowSize = 64;
const maxHeapGrowthMb = 16;
const drainLimitMs = 2 * hourMs;

export async function runLongOutage(options: OutageOptions, say?: Say): Promise<OutageReport> {
  const clock = createSimClock();
  const random = createSimRandom(1);
  const watch = createWatch();
  const tally = createTally(clock);
  const server = createServerMachine(
    {
      logBytes: 1e9,
      segmentBytes: 1_048_576,
      keepTailBytes: 0,
      syncMs: 0,
      commitDelayMs: 0,
      commitIntervalMs: 200,
      maxBatchSamples: 200_000,
    },
    {
      clock,
      random,
      database: tally.database,
      auditor: createAuditor(() => clock.monotonic(), watch),
      watch,
      say,
      window: () => windowSize + 1,
    },
  );
  const path = createPath(clock, random, 10_000);
  // A line as it is: the backlog takes its time, so that live values come beside it.
  path.latencyMs = 20;
  const metrics = Array.from({ length: tagsPerDevice }, (_, i) => ({
    name: `M${i}`,
    dataType: 'Double' as const,
    perPoll: 1,
    textBytes: 0,
  }));
  const edge = createEdgeMachine(
    {
      id: edgeId,
      devices: Array.from({ length: Math.ceil(options.tags / tagsPerDevice) }, (_, i) => ({
        id: `d${i}`,
        intervalMs: options.intervalMs,
        metrics: metrics.slice(0, Math.min(tagsPerDevice, options.tags - i * tagsPerDevice)),
      })),
      outboxBytes: options.outboxBytes,
      ledgerSlotBytes: 524_288,
      commitDelayMs: 100,
      syncMs: 0,
      window: windowSize,
      backlogMessagesPerS: undefined,
      maxPayloadBytes: 1_000_000,
    },
    {
      clock,
      random,
      path,
      journal: countingJournal(tally.served),
      watch,
      say,
      dial: (): ClientEnd | undefined => {
        const wire = path.connect<UpPacket, DownPacket>();
        return server.accept(wire.server) ? wire.client : undefined;
      },
    },
  );
  const heapMb = (): number => {
    options.collectGarbage?.();
    return process.memoryUsage().heapUsed / 1_048_576;
  };
  server.boot();
  edge.boot();
  await clock.advance(60_000);
  const outageMs = options.hours * hourMs;
  path.silence(outageMs);
  await clock.advance(outageMs / 10);
  const early = heapMb();
  await clock.advance(outageMs - outageMs / 10);
  const late = heapMb();
  const endedMs = clock.monotonic();
  tally.watchLive();
  while (!(edge.isDrained() && server.isDrained() && tally.stored() > 0) && clock.monotonic() < endedMs + drainLimitMs)
    await clock.advance(100);
  const drainedAfterMs = clock.monotonic() - endedMs;
  await clock.advance(2 * options.intervalMs);
  edge.stopSource();
  await clock.advance(30_000);

  const violations = tally.violations();
  if (drainedAfterMs >= drainLimitMs) violations.push(`C9 the backlog was not delivered within ${drainLimitMs} ms`);
  if (options.collectGarbage !== undefined && late - early > maxHeapGrowthMb) {
    violations.push(`C8 the heap grew from ${early.toFixed(0)} to ${late.toFixed(0)} MB during the outage`);
  }
  for (const { name, highest, limit } of watch.measured()) {
    if (highest > limit) violations.push(`C8 ${name}: ${highest}, at most ${limit}`);
  }
  for (const { of, value, safe } of watch.watermarks) if (value > safe) violations.push(`C5 ${of} says ${value}, safe is ${safe}`);
  return {
    samples: tally.samples(),
    stored: tally.stored(),
    lost: tally.lost(),
    drainedAfterMs,
    slowestLiveMs: tally.slowestLiveMs(),
    heapMb: options.collectGarbage === undefined ? undefined : [early, late],
    violations,
  };
}

/** A journal that keeps counts only: the values of a series are 1, 2, 3 … */
function countingJournal(served: (series: string, count: number) => void): Journal {
  const last = new Map<string, number>();
  return {
    served: [],
    windows: [],
    next(series) {
      const count = (last.get(series) ?? 0) + 1;
      last.set(series, count);
      served(series, count);
      return count;
    },
    serve: () => undefined,
    mayMiss: () => undefined,
  };
}
