/**
 * The stage before the outbox on a computer that does not know the time: readings wait on disk until it is known, get their real
 * times, and go on to the outbox. While the time is known and nothing waits, it is not there at all.
 *
 * No reading is lost or doubled by this stage, whenever it is killed:
 * - While anything waits, everything goes through the log of this stage, in its order. Nothing else reaches the outbox.
 * - A batch is handed on after a note on disk says which one, with which correction, and where the outbox's log ended before. Its
 *   records are done with (cursor) after the outbox has them on disk or has counted them as lost.
 * - A start that finds a note of a batch that is not done with looks what of it the outbox has in its log from that place on, and hands on
 *   the rest, with the same times. The outbox gives numbers as always; this stage knows none.
 *
 * When its disk has no room, waiting is over: all goes on with provisional times and uncertain quality, so that what must be given up
 * is given up, and counted, by the outbox.
 *
 * Not covered: records that the disk damages are set aside and logged by the log; they have no numbers yet, so no loss report names them.
 */
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Env, Timer } from '@nhip/core/process/env';
import { FatalError, RetryableError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { quality } from '@nhip/core/wire/sample';
import type { Reading } from '../driver.ts';
import type { Correction } from './correction.ts';
import { createDrain, drainReader, type OutboxPlace } from './drain.ts';
import { encodeHeld, type HeldReading } from './held-record.ts';
import type { TimeSources } from './time-sources.ts';
import type { Timekeeper } from './timekeeper.ts';

export interface HeldReadings {
  /** Takes readings. Resolves when they are on disk, here or in the outbox, or lost and counted. Never rejects. */
  report(deviceId: string, readings: readonly Reading[]): Promise<void>;
  /** Records that wait. */
  pending(): number;
  /** Resolves when nothing waits any more; never while the time is not known. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

export interface HeldReadingsDeps {
  readonly env: Env;
  readonly log: Log;
  readonly timekeeper: Timekeeper;
  readonly sources: TimeSources;
  /** The outbox: resolves when the readings are on disk, or lost and counted. Never rejects. */
  forward(deviceId: string, readings: readonly Reading[]): Promise<void>;
  /** The log of the outbox, to look what it has already. */
  readonly outbox: OutboxPlace;
  onFatal(error: Error): void;
}

const maxBytes = 67_108_864;
const retryMs = 5_000;

/** Opens the stage in `folder` of the environment's disk; what an earlier life left there is handed on when the time is known. */
export async function openHeldReadings(folder: string, deps: HeldReadingsDeps, quotaBytes = maxBytes): Promise<HeldReadings> {
  const { env, timekeeper, sources, forward } = deps;
  let log: LogBus | undefined;
  let opening: Promise<LogBus> | undefined;
  /** Everything goes through the log. */
  let isHolding = timekeeper.state === 'unsynced';
  /** There was no room to wait any longer. */
  let isGivenUp = false;
  let draining: Promise<void> | undefined;
  let isClosed = false;
  let retry: Timer | undefined;
  const closing = new AbortController();
  /** Index of the newest held reading of each metric: the current value, the others are history. */
  const newest = new Map<string, number>();
  /** Refused by the log: handed on between two batches. */
  const refused: { readonly deviceId: string; readonly readings: readonly Reading[]; done(): void }[] = [];

  const open = (): Promise<LogBus> => {
    opening ??= openSegmentLog(env, `${folder}/log`, {
      segmentBytes: Math.min(1_048_576, quotaBytes / 4),
      commitDelayMs: 100,
      maxBytes: quotaBytes,
      readers: [drainReader],
      whenFull: 'refuse',
      log: deps.log,
      onFatal: deps.onFatal,
    });
    return opening;
  };

  const isEmpty = (): boolean => log === undefined || log.cursor(drainReader) >= log.stats().nextIndex;

  const correctionNow = (): Correction => ({
    bootId: sources.bootId,
    anchorMs: timekeeper.state === 'unsynced' ? null : timekeeper.clock.now() - sources.sinceBootMs(),
    earlier: null,
  });

  const drain = createDrain(folder, {
    ...deps,
    isCurrent: (deviceId, metric, index) => newest.get(`${deviceId}\n${metric}`) === index,
  });

  /** Appends that are under way; the drain is not over before them. */
  let appending = 0;

  const startDrain = (): void => {
    if (draining !== undefined || isClosed || !isHolding) return;
    draining = (async () => {
      const from = await open();
      log = from;
      await drain.begin(from, correctionNow());
      for (;;) {
        for (const { deviceId, readings, done } of refused.splice(0)) {
          for (const { metric } of readings) newest.delete(`${deviceId}\n${metric}`);
          await forward(deviceId, readings);
          done();
        }
        const more = await drain.batch(from);
        if (closing.signal.aborted) return;
        if (more || appending > 0 || refused.length > 0 || !isEmpty()) {
          if (!more) await env.clock.sleep(50, closing.signal).catch(() => {});
          continue;
        }
        break;
      }
      // From here on to the return there is no wait: no reading can come in between.
      newest.clear();
      if (timekeeper.state === 'unsynced' && !isGivenUp) return;
      isHolding = false;
      deps.log.info('Readings that were held go on with their times; nothing waits any more.');
    })()
      .catch((error: unknown) => {
        if (error instanceof FatalError) deps.onFatal(error);
        else deps.log.error({ err: error }, 'Held readings cannot be handed on now; trying again.');
        retry = env.clock.after(retryMs, startDrain);
      })
      .finally(() => {
        draining = undefined;
      });
  };

  const isProvisional = ({ isHistorical, timestampMs }: Reading): boolean => isHistorical !== true && timekeeper.isProvisional(timestampMs);

  const hold = async (deviceId: string, rows: readonly HeldReading[]): Promise<void> => {
    const bytes = encodeHeld({ device: deviceId, bootId: sources.bootId, offsetMs: timekeeper.offsetMs, readings: rows });
    appending++;
    try {
      log ??= await open();
      const index = await log.append(bytes);
      for (const { reading } of rows) {
        const key = `${deviceId}\n${reading.metric}`;
        newest.set(key, Math.max(index, newest.get(key) ?? -1));
      }
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      if (!isGivenUp) deps.log.error({ err: error }, 'Readings cannot wait for the time any longer: they go on with an uncertain one.');
      isGivenUp = true;
      await new Promise<void>((done) => {
        refused.push({ deviceId, readings: rows.map(uncertain), done });
        startDrain();
      });
    } finally {
      appending--;
    }
  };

  const leftOver = await env.disk.readDir(`${folder}/log`).catch(() => []);
  if (leftOver.length > 0) {
    log = await open();
    isHolding ||= !isEmpty();
  }
  timekeeper.whenKnown(startDrain);

  return {
    report: async (deviceId, readings) => {
      if (readings.length === 0) return;
      try {
        const rows = readings.map((reading): HeldReading => ({ reading, isProvisional: isProvisional(reading) }));
        if (isHolding) await hold(deviceId, rows);
        else await forward(deviceId, timekeeper.state === 'unsynced' ? rows.map(uncertain) : readings);
      } catch (error) {
        if (error instanceof FatalError) deps.onFatal(error);
        else deps.log.error({ err: error, device: deviceId }, 'Readings could not be held and are lost.');
      }
    },
    pending: () => (log === undefined ? 0 : log.stats().nextIndex - log.cursor(drainReader)),
    drained: async () => {
      while (isHolding) await (draining ?? env.clock.sleep(50));
    },
    close: async () => {
      isClosed = true;
      closing.abort(new Error('the agent stops'));
      retry?.cancel();
      await draining;
      retry?.cancel();
      for (const { done } of refused.splice(0)) done();
      await (await opening)?.close();
    },
  };
}

function uncertain({ reading, isProvisional }: HeldReading): Reading {
  return isProvisional && reading.quality === quality.good ? { ...reading, quality: quality.stale } : reading;
}
