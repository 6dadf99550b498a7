import type { LogRecord } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Tracing } from '@nhip/core/process/tracing';
import { type ResendRequest, streamText } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { WireError } from '@nhip/core/wire/wire-error';
import type { Outbox } from '../outbox/outbox.ts';
import { decodeOutboxRecord, type OutboxRecord } from '../outbox/record.ts';
import type { DeviceTable } from '../session/device-table.ts';
import type { SessionLink } from '../session/session-link.ts';
import { reportLosses } from './loss-reporter.ts';
import { encodeDeviceData } from './message.ts';
import { createRollingHistory } from './rolling-history.ts';
import { createWindow, type Lane, type Window } from './window.ts';

export interface Publisher {
  /** Sends from the outbox until the session ends: live records first, older ones beside them as historical, losses as they come. */
  run(link: SessionLink): Promise<void>;
  /** The server asks for numbers again. Forgotten when the session ends: it asks again. */
  resend(request: ResendRequest): void;
  /** Records not yet acknowledged. */
  pendingRecords(): number;
  /** Samples that were acknowledged, and messages that were sent and are not. */
  counts(): { readonly published: number; readonly inFlight: number };
  /** Makes the acknowledged position durable. Never rejects. */
  flush(): Promise<void>;
}

export interface PublisherConfig {
  /** Messages that may be sent and not acknowledged; at most half of them are old ones. */
  readonly window: number;
  /** No limit but the window when undefined. */
  readonly backlogMessagesPerS: number | undefined;
  /** Strict Sparkplug: what was sent is kept this long before it counts as acknowledged. Undefined: the acknowledgement is enough. */
  readonly holdMs?: number | undefined;
}

/** A session, and what becomes of a record that the other side has. */
interface Sending extends SessionLink {
  taken(index: number): void;
}

/** How often the cursor is made durable: repeats are dropped by ingest, fsyncs wear the card. */
const cursorIntervalMs = 2000;
const retryMs = 1000;
/** Requests that may wait. */
const maxResends = 64;

export function createPublisher(
  config: PublisherConfig,
  deps: {
    readonly clock: Clock;
    readonly log: Log;
    readonly outbox: Outbox;
    readonly devices: DeviceTable;
    readonly tracing?: Tracing | undefined;
  },
): Publisher {
  const { clock, outbox, devices, log, tracing } = deps;
  const { acks } = outbox;
  let published = 0;
  let inFlight = 0;
  let isLogBroken = false;
  let isCursorStuck = false;
  let resends: ResendRequest[] = [];
  let wakeResend: (() => void) | undefined;

  async function send(record: OutboxRecord, lane: Lane, link: SessionLink): Promise<void> {
    const declared = record.metrics.map((metric) => devices.alias(record.device, metric.name ?? '', metric.dataType ?? dataType.Double));
    if (declared.some(({ isNew }) => isNew)) link.rebirth();
    const isHistorical = lane === 'backlog';
    const startMs = tracing === undefined ? 0 : clock.now();
    await link.publish(record.device, (seq) => encodeDeviceData(record, declared, { seq, timestampMs: clock.now(), isHistorical }));
    published += record.metrics.length;
    if (tracing !== undefined) trace(tracing, record, lane, startMs);
  }

  function trace(to: Tracing, { stream, seq, device, metrics }: OutboxRecord, lane: Lane, startMs: number): void {
    const followed = to.traceOf({ stream: streamText(stream), seq });
    const attributes = { device, lane, samples: metrics.length };
    if (followed !== undefined) to.add(followed, { name: 'edge.publish', startMs, endMs: clock.now(), attributes });
  }

  /** Sends until it is acknowledged or the session ends: then the next session sends it, because it is not acknowledged. */
  async function deliver(record: OutboxRecord, index: number, lane: Lane, link: Sending): Promise<void> {
    for (let isFirst = true; !link.signal.aborted; isFirst = false) {
      try {
        await send(record, lane, link);
        link.taken(index);
        return;
      } catch (error) {
        if (link.signal.aborted) return;
        if (isFirst) log.warn({ err: error, index }, 'A message was not taken, trying until it is');
        await clock.sleep(retryMs, link.signal).catch(() => undefined);
      }
    }
  }

  /** Waits for a place in the window, then sends without waiting for the acknowledgement. */
  async function enqueue({ index, payload }: LogRecord, lane: Lane, window: Window, link: Sending): Promise<void> {
    const record = readRecord(payload);
    if (record === undefined) {
      await missing(index, index + 1, link.signal);
    } else if (await window.enter(lane)) {
      inFlight++;
      void deliver(record, index, lane, link).finally(() => {
        inFlight--;
        window.leave(lane);
      });
    }
  }

  /** [] when nothing came in time or the session ended. A log that cannot be read is tried again: the session stays up. */
  async function read(index: number, waitMs: number, signal: AbortSignal): Promise<readonly LogRecord[]> {
    while (!signal.aborted) {
      try {
        const records = await outbox.log.read(index, { maxRecords: 64, maxBytes: 262_144, waitMs, signal });
        if (isLogBroken) log.info('The outbox can be read again');
        isLogBroken = false;
        return records;
      } catch (error) {
        if (signal.aborted) break;
        if (!isLogBroken) log.error({ err: error, index }, 'The outbox cannot be read, trying until it can');
        isLogBroken = true;
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
    return [];
  }

  /** Records that cannot be read must not hold the cursor back for ever: they are counted, then done with. */
  async function missing(from: number, to: number, signal: AbortSignal): Promise<void> {
    if (acks.open(from, to).length === 0) return;
    log.error({ from, to }, 'Records of the outbox cannot be read; they are counted as lost');
    while (!signal.aborted) {
      try {
        await outbox.missing(from, to);
        return;
      } catch (error) {
        log.warn({ err: error, from, to }, 'The loss of records could not be counted, trying until it can');
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }

  /** Reads [from, to) and sends what is not acknowledged; `to` undefined follows the log for ever. */
  async function lane(from: number, to: number | undefined, window: Window, link: Sending): Promise<void> {
    const kind: Lane = to === undefined ? 'live' : 'backlog';
    const end = to ?? Number.POSITIVE_INFINITY;
    const pace = createPace(kind === 'backlog' ? config.backlogMessagesPerS : undefined, link.signal);
    let index = from;
    while (!link.signal.aborted && index < end) {
      const records = await read(index, kind === 'live' ? 1000 : 0, link.signal);
      if (link.signal.aborted) return;
      if (records.length === 0 && kind === 'backlog') {
        await missing(index, end, link.signal);
        return;
      }
      for (const record of records) {
        if (record.index > index) await missing(index, Math.min(record.index, end), link.signal);
        if (record.index >= end) return;
        index = record.index + 1;
        if (acks.isAcknowledged(record.index)) continue;
        await enqueue(record, kind, window, link);
        if (link.signal.aborted) return;
        await pace();
      }
    }
  }

  /** Serves requests for numbers, one at a time, beside the backlog. Acknowledged records stay acknowledged. */
  async function resendLane(window: Window, link: Sending): Promise<void> {
    link.signal.addEventListener('abort', () => wakeResend?.());
    const pace = createPace(config.backlogMessagesPerS, link.signal);
    while (!link.signal.aborted) {
      const request = resends.shift();
      if (request === undefined) {
        await new Promise<void>((resolve) => {
          wakeResend = resolve;
        });
        continue;
      }
      log.info(request, 'The server asks for numbers again');
      try {
        for await (const { record } of outbox.resend(request)) {
          await enqueue(record, 'backlog', window, link);
          if (link.signal.aborted) return;
          await pace();
        }
      } catch (error) {
        log.warn({ err: error, ...request }, 'Numbers could not be sent again; the server will ask once more');
      }
    }
  }

  /** A rate, kept by pauses that a clock can measure. */
  function createPace(messagesPerS: number | undefined, signal: AbortSignal): () => Promise<void> {
    if (messagesPerS === undefined) return () => Promise.resolve();
    let due = clock.monotonic();
    return async () => {
      due += 1000 / messagesPerS;
      const waitMs = due - clock.monotonic();
      if (waitMs > 4) await clock.sleep(waitMs, signal).catch(() => undefined);
      else if (waitMs < -1000) due = clock.monotonic();
    };
  }

  async function commitLoop(link: SessionLink): Promise<void> {
    while (!link.signal.aborted) {
      await clock.sleep(cursorIntervalMs, link.signal).catch(() => undefined);
      await flush();
    }
  }

  async function flush(): Promise<void> {
    try {
      await outbox.commitAcks();
      isCursorStuck = false;
    } catch (error) {
      // Costs repeats after a restart, which ingest drops; no reason to end the session.
      if (!isCursorStuck) log.warn({ err: error }, 'The place in the outbox could not be written down');
      isCursorStuck = true;
    }
  }

  return {
    async run(session) {
      const release = (index: number): void => acks.acknowledge(index, index + 1);
      const { holdMs } = config;
      const history = holdMs === undefined ? undefined : createRollingHistory(holdMs, session, { clock, release });
      const link: Sending = { ...session, taken: history?.sent ?? release };
      const window = createWindow(config.window, link.signal);
      resends = [];
      const splitAt = outbox.log.stats().nextIndex;
      await Promise.all([
        lane(splitAt, undefined, window, link),
        lane(acks.cursor(), splitAt, window, link),
        resendLane(window, link),
        reportLosses(link, { clock, log, outbox, holdMs }),
        history?.run(),
        commitLoop(link),
      ]);
    },
    resend(request) {
      if (resends.length >= maxResends) return;
      resends.push(request);
      wakeResend?.();
    },
    pendingRecords: () => Math.max(0, outbox.log.stats().nextIndex - acks.cursor()),
    counts: () => ({ published, inFlight }),
    flush,
  };
}

/** Undefined when the bytes are no record of this version. */
function readRecord(payload: Uint8Array): OutboxRecord | undefined {
  try {
    return decodeOutboxRecord(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
