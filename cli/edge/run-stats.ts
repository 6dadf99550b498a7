import type { Clock } from '@nhip/core/process/env';
import type { Part } from '@nhip/core/process/lifecycle';
import type { AgentHealth } from '@nhip/edge-agent/agent';
import type { DiskUse } from './counting-disk.ts';

/** One line about the last interval. */
export interface RunStats {
  /** Samples that were kept, per second. */
  readonly samplesPerS: number;
  /** Bytes that the data folder took per sample; null when there was no sample. */
  readonly bytesPerSample: number | null;
  readonly syncsPerS: number;
  /** What the card has to write in a day if it goes on like this, bytes. */
  readonly wearBytesPerDay: number;
  readonly polls: number;
  readonly failures: number;
  /** Reads that were skipped because the one before took too long. */
  readonly overruns: number;
  /** Reading every device of a connection once, in the slowest connection, ms: the last time, and the longest since its start. */
  readonly cycleMs: { readonly last: number; readonly max: number } | null;
  readonly online: number;
  readonly devices: number;
  readonly pendingRecords: number;
  readonly lost: number;
  readonly isOnline: boolean;
  readonly rssBytes: number;
}

export interface RunReading {
  readonly health: AgentHealth;
  readonly use: DiskUse;
  readonly rssBytes: number;
  readonly monotonicMs: number;
}

const pageBytes = 4096;
/**
 * What ext4 adds to an fdatasync of a file that grew (descriptor, inode, commit block and more of its journal), as measured at the
 * device by `npm run bench -- outbox-bytes`. What the card does inside
 * (erase blocks) comes on top and differs from card to card.
 */
const journalBytesPerSync = 5 * pageBytes;
const msPerDay = 86_400_000;

/** What happened between two readings. */
export function statsBetween(before: RunReading, after: RunReading): RunStats {
  const ms = Math.max(1, after.monotonicMs - before.monotonicMs);
  const samples = after.health.recorded - before.health.recorded;
  const [was, is] = [totals(before.health), totals(after.health)];
  const pages = after.use.pages - before.use.pages;
  const syncs = after.use.syncs - before.use.syncs;
  const devices = after.health.connections.flatMap((connection) => connection.devices);
  return {
    samplesPerS: (samples / ms) * 1000,
    bytesPerSample: samples === 0 ? null : (after.use.bytes - before.use.bytes) / samples,
    syncsPerS: (syncs / ms) * 1000,
    wearBytesPerDay: ((pages * pageBytes + syncs * journalBytesPerSync) / ms) * msPerDay,
    // A connection that was added or started anew counts from 0.
    polls: Math.max(0, is.polls - was.polls),
    failures: Math.max(0, is.failures - was.failures),
    overruns: Math.max(0, is.overruns - was.overruns),
    cycleMs: slowest(after.health),
    online: devices.filter(({ state }) => state === 'online').length,
    devices: devices.length,
    pendingRecords: after.health.pendingRecords,
    lost: after.health.lost,
    isOnline: after.health.session.isOnline,
    rssBytes: after.rssBytes,
  };
}

function totals(health: AgentHealth): { readonly polls: number; readonly failures: number; readonly overruns: number } {
  const sum = { polls: 0, failures: 0, overruns: 0 };
  for (const { counters } of health.connections) {
    sum.polls += counters.polls;
    sum.failures += counters.failures;
    sum.overruns += counters.overruns;
  }
  return sum;
}

function slowest({ connections }: AgentHealth): RunStats['cycleMs'] {
  const cycles = connections.flatMap(({ cycleMs }) => (cycleMs === null ? [] : [cycleMs]));
  return cycles.reduce<RunStats['cycleMs']>((worst, cycle) => (worst === null || cycle.last > worst.last ? cycle : worst), null);
}

export function statsText(stats: RunStats): string {
  const { bytesPerSample, failures, overruns, lost } = stats;
  return [
    `${round(stats.samplesPerS)} samples/s`,
    `${bytesPerSample === null ? '–' : Math.round(bytesPerSample)} B written/sample`,
    `${round(stats.syncsPerS)} syncs/s`,
    `card ≈ ${round(stats.wearBytesPerDay / 1e9)} GB/day`,
    `${stats.online}/${stats.devices} devices`,
    `${stats.polls} reads${failures > 0 ? `, ${failures} failed` : ''}${overruns > 0 ? `, ${overruns} skipped` : ''}`,
    ...(stats.cycleMs === null ? [] : [`cycle ${round(stats.cycleMs.last)} ms, at most ${round(stats.cycleMs.max)} ms`]),
    `broker ${stats.isOnline ? 'up' : 'DOWN'}`,
    `${stats.pendingRecords} queued${lost > 0 ? `, ${lost} LOST` : ''}`,
    `RSS ${Math.round(stats.rssBytes / 1e6)} MB`,
  ].join(' · ');
}

/** Two digits are enough for an estimate, and all digits before the point. */
function round(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** Says a line each interval until it is stopped. */
export function statsPart(clock: Clock, everyMs: number, read: () => RunReading, say: (stats: RunStats) => void): Part {
  const over = new AbortController();
  let running: Promise<void> | undefined;
  async function run(): Promise<void> {
    for (let before = read(); ; ) {
      await clock.sleep(everyMs, over.signal);
      const after = read();
      say(statsBetween(before, after));
      before = after;
    }
  }
  return {
    name: 'stats',
    start: async () => {
      running = run().catch((error: unknown) => {
        if (!over.signal.aborted) throw error;
      });
    },
    stop: async () => {
      over.abort();
      await running;
    },
  };
}
