import { randomBytes } from 'node:crypto';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { InfluxServer, Place } from './influx-server.ts';
import { textField, timeStamp } from './line-protocol.ts';
import { createProcessWatch } from './server-process.ts';
import { createShardFinder, hourMs, type ShardFinder } from './shard-finder.ts';

/**
 * Keeps what InfluxDB 1.x and 2.x answer for from standing behind a hole in their log. A server that is killed in the middle of a write
 * leaves a torn entry at the end of a segment of a shard's log. The next process opens the segment behind it (`WAL.Open` seeks to the end)
 * and then cuts it off (`CacheLoader.Load`), so that its first write leaves a hole. The process after that one drops all that stands behind
 * the hole, although it was synced and answered for. A segment ends with 10 MiB: before the first write to a shard that was there when the
 * process started, so much is written that nobody needs, and the write goes into a segment of its own.
 */
export interface WholeSegments {
  /** Before anything is written. Rejects as `InfluxServer.query`. */
  begin(): Promise<void>;
  /** Resolves when samples of these times may be written. Rejects as `InfluxServer.write`. */
  readyForSamples(batch: SampleBatch): Promise<void>;
  /** As `readyForSamples`, for what is kept for ever. */
  readyForKept(): Promise<void>;
  /** After a request that failed: the server may be another process now. */
  doubt(): void;
  /** After the end of a connection, which may mean the same or nothing: looks again at a server that tells which process it is. */
  disconnected(): void;
}

/** What a segment has at most, and a rest. */
const paddingBytes = 10_485_760 + 100_000;
/** Of base64 60 kB, of which the log's compression makes nothing less. */
const randomPerLine = 45_000;
const lineBytes = 60_000;
/** A body goes through a slow line within the time that a request has. */
const linesPerBody = 4;

interface Padding {
  /** Written so far: what a failure interrupts goes on where it was, while it is the same process. */
  bytes: number;
  /** While it is under way, and when it is done. */
  running?: Promise<void> | undefined;
}

interface Process {
  readonly shards: ShardFinder;
  /** By shard. */
  readonly paddings: Map<string, Padding>;
}

export function createWholeSegments(server: InfluxServer, options: Parameters<typeof createShardFinder>[1]): WholeSegments {
  let current: Promise<Process> | undefined;
  const watch = createProcessWatch(server);
  let last: Process | undefined;

  async function look(): Promise<Process> {
    const found = await watch.look();
    if (found === 'same' && last !== undefined) return last;
    last = undefined;
    const process: Process = { shards: await createShardFinder(server, options), paddings: new Map() };
    if (found !== 'unknown') last = process;
    return process;
  }

  function now(): Promise<Process> {
    if (current === undefined) {
      const looking = look();
      current = looking;
      looking.catch(() => {
        if (current === looking) current = undefined;
      });
    }
    return current;
  }

  async function ready(place: Place, timesMs: Iterable<number>): Promise<void> {
    const { shards, paddings } = await now();
    for (const ms of timesMs) {
      const shard = shards.find(place, ms);
      if (shard === undefined) continue;
      const padding = paddings.get(shard) ?? { bytes: 0 };
      paddings.set(shard, padding);
      padding.running ??= pad(server, place, ms, padding).catch((error: unknown) => {
        padding.running = undefined;
        throw error;
      });
      await padding.running;
    }
  }

  return {
    async begin() {
      await now();
    },
    readyForSamples: (batch) => ready('samples', hoursOf(batch)),
    readyForKept: () => ready('kept', [0]),
    doubt() {
      current = undefined;
    },
    disconnected() {
      if (last !== undefined) current = undefined;
    },
  };
}

/** One time of each hour that has samples: no shard is shorter. */
function hoursOf(batch: SampleBatch): Iterable<number> {
  const hours = new Map<number, number>();
  let hour = Number.NaN;
  for (let row = 0; row < batch.length; row++) {
    const ms = batch.timeMs[row] as number;
    const its = Math.floor(ms / hourMs);
    if (its === hour) continue;
    hour = its;
    hours.set(its, ms);
  }
  return hours.values();
}

/** The same point again and again: of all that, InfluxDB keeps 60 kB. What it refuses cannot be helped: others of it count. */
async function pad(server: InfluxServer, place: Place, ms: number, padding: Padding): Promise<void> {
  if (!(ms >= 0)) return;
  while (padding.bytes < paddingBytes) {
    const lines = Array.from({ length: linesPerBody }, () => {
      const data = randomBytes(randomPerLine).toString('base64');
      return `padding data=${textField(data)} ${timeStamp(Math.floor(ms), 0)}\n`;
    });
    const answer = await server.write(place, lines.join(''));
    if (answer.kind === 'tooLarge') for (const line of lines) await server.write(place, line);
    padding.bytes += linesPerBody * lineBytes;
  }
}
