/**
 * Where samples get their numbers. Numbers of the current stream are given in the order of calls and follow each other in the log.
 *
 * Invariant: a record reaches the disk only when every number below it is in a record before it, or in the ledger on disk. So a
 * crash leaves no number that nobody knows of: numbers above the last record may be given again, they never left the process.
 * - A refusal of the log hits every append that is under way; from then on samples are only counted, until the ledger has what
 *   was lost on disk and a pause is over.
 * - While a report takes numbers for itself, records wait in memory.
 * Values that cannot be sent at all would make a hole per reading: they get their numbers when their report is made.
 */
import type { Clock } from '@nhip/core/process/env';
import { FatalError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { Tracing } from '@nhip/core/process/tracing';
import type { LossReason } from '@nhip/core/wire/loss';
import { streamText } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { WireError } from '@nhip/core/wire/wire-error';
import type { MetricDefinition, Reading } from '../driver.ts';
import type { LossLedger, TakenNumbers } from './loss-ledger.ts';
import { LossTally } from './loss-tally.ts';
import { encodeOutboxRecord, fitsType, qualityProperties } from './record.ts';

/** After a refusal samples are only counted for so long. */
const pauseMs = 1000;
/** Bytes on their way to a disk that does not keep up; more is lost. */
const maxWaitingBytes = 33_554_432;

interface Portion {
  readonly device: string;
  readonly metrics: readonly Metric[];
  readonly seq: number;
  readonly record: Uint8Array;
  done(): void;
}

interface IntakeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: LossLedger;
  readonly maxRecordBytes: number;
  appendToLog(record: Uint8Array): Promise<number>;
  readonly tracing?: Tracing | undefined;
}

export interface Intake {
  /** Takes the samples of one device; resolves when they are on disk, or lost and counted. Never rejects. */
  append(device: string, readings: readonly Reading[], definitions: ReadonlyMap<string, MetricDefinition>): Promise<void>;
  /** Numbers for samples that get none from `append`. */
  take(count: number): TakenNumbers;
  /** The log refuses what is under way. */
  refused(): void;
  /** The number behind the last one that is on disk, or counted as lost. */
  durableEnd(): number;
  counts(): { readonly recorded: number; readonly lost: number };
}

/** `stream` has 16 bytes, `firstSeq` is the next number. */
export function createIntake(stream: Uint8Array, firstSeq: number, deps: IntakeDeps): Intake {
  const { clock, log, ledger, tracing } = deps;
  const streamId = streamText(stream);
  const unsendable = new Set<string>();
  let seq = firstSeq;
  let durableEnd = firstSeq;
  let recorded = 0;
  let lost = 0;
  let underWay = 0;
  /** Called when nothing is under way. */
  const waiting: (() => void)[] = [];
  let waitingBytes = 0;
  /** Set while samples are only counted: when the log is tried again. */
  let tryAgainMs: number | undefined;
  let holds = 0;
  let held: Portion[] = [];
  let heldBytes = 0;
  /** What was held back did not fit: some of it is lost, so all that follows is. */
  let isOverflowing = false;

  function refused(): void {
    if (tryAgainMs === undefined) log.error('The outbox cannot be written: samples are lost and counted until there is room');
    tryAgainMs = clock.monotonic() + pauseMs;
  }

  function lose(device: string, metrics: readonly Metric[], seqFrom: number): void {
    const tally = new LossTally();
    for (const { name, timestampMs } of metrics) tally.add(device, name ?? '', timestampMs ?? 0);
    lost += metrics.length;
    ledger.add({ reason: 'outboxFull', stream: streamId, seqFrom, seqTo: seqFrom + metrics.length, tally });
  }

  function send(portion: Portion): void {
    const { device, metrics, record, done } = portion;
    if (tryAgainMs === undefined && waitingBytes + record.length > maxWaitingBytes) refused();
    if (tryAgainMs !== undefined) {
      lose(device, metrics, portion.seq);
      done();
      return;
    }
    underWay++;
    waitingBytes += record.length;
    const finish = (): void => {
      underWay--;
      waitingBytes -= record.length;
      if (underWay === 0) for (const settled of waiting.splice(0)) settled();
      done();
    };
    const startMs = tracing === undefined ? 0 : clock.now();
    deps.appendToLog(record).then(
      (index) => {
        if (tracing !== undefined) trace(tracing, portion, startMs);
        recorded += metrics.length;
        durableEnd = portion.seq + metrics.length;
        ledger.reached = { index: index + 1, seq: durableEnd };
        finish();
      },
      (error: unknown) => {
        // Whether it is on disk nobody knows before the restart that follows: a loss that is counted now could be a sample that is sent then.
        if (!(error instanceof FatalError)) {
          refused();
          lose(device, metrics, portion.seq);
        }
        finish();
      },
    );
  }

  function trace(to: Tracing, { device, metrics, seq: first }: Portion, startMs: number): void {
    const followed = to.traceOf({ stream: streamId, seq: first });
    const attributes = { device, samples: metrics.length };
    if (followed !== undefined) to.add(followed, { name: 'edge.outbox', startMs, endMs: clock.now(), attributes });
  }

  function hold(portion: Portion): void {
    const { device, metrics, record, done } = portion;
    if (isOverflowing || heldBytes + record.length > maxWaitingBytes) {
      isOverflowing = true;
      refused();
      lose(device, metrics, portion.seq);
      done();
      return;
    }
    heldBytes += record.length;
    held.push(portion);
  }

  function release(): void {
    holds--;
    if (holds > 0) return;
    const portions = held;
    held = [];
    heldBytes = 0;
    isOverflowing = false;
    for (const portion of portions) send(portion);
  }

  /** Takes records again once the ledger has on disk what was lost; records wait for it. */
  function tryAgain(): void {
    holds++;
    ledger.sync().then(
      () => {
        if (!isOverflowing) {
          tryAgainMs = undefined;
          log.info('The outbox takes samples again');
        }
        release();
      },
      () => {
        refused();
        release();
      },
    );
  }

  function loseUnsendable(reason: LossReason, device: string, { name = '', dataType: type, timestampMs = 0 }: Metric): void {
    lost++;
    ledger.addUnnumbered(reason, device, name, timestampMs);
    const key = `${device}/${name}`;
    if (!unsendable.has(key)) log.error({ device, metric: name, dataType: type, reason }, 'A value cannot be sent as it is and is lost');
    unsendable.add(key);
  }

  /** Encodes what can be encoded, usually all. */
  function encode(device: string, metrics: readonly Metric[]): { readonly record: Uint8Array; readonly fitting: readonly Metric[] } {
    try {
      return { record: encodeOutboxRecord({ stream, seq, device, metrics }), fitting: metrics };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const fitting = metrics.filter((metric) => fitsType(metric));
      for (const metric of metrics) if (!fitting.includes(metric)) loseUnsendable('unfitValue', device, metric);
      return { record: encodeOutboxRecord({ stream, seq, device, metrics: fitting }), fitting };
    }
  }

  /** Sends records that each fit one message, in the order of their numbers. */
  function sendPortions(device: string, metrics: readonly Metric[], sent: Promise<void>[]): void {
    const { record, fitting } = encode(device, metrics);
    const [only] = fitting;
    if (only === undefined) return;
    if (record.length <= deps.maxRecordBytes) {
      const portion = { device, metrics: fitting, seq, record };
      seq += fitting.length;
      sent.push(
        new Promise((done) => {
          if (holds > 0) hold({ ...portion, done });
          else send({ ...portion, done });
        }),
      );
    } else if (fitting.length === 1) {
      loseUnsendable('oversizedValue', device, only);
    } else {
      const middle = Math.ceil(fitting.length / 2);
      sendPortions(device, fitting.slice(0, middle), sent);
      sendPortions(device, fitting.slice(middle), sent);
    }
  }

  return {
    async append(device, readings, definitions) {
      const metrics = readings.map(({ metric, value, timestampMs, quality, isHistorical }) => ({
        name: metric,
        timestampMs: Math.max(0, Math.floor(timestampMs)),
        dataType: dataType[definitions.get(metric)?.dataType ?? 'Double'],
        value,
        properties: qualityProperties(quality),
        ...(isHistorical === true ? { isHistorical } : {}),
      }));
      if (tryAgainMs !== undefined && holds === 0 && underWay === 0 && clock.monotonic() >= tryAgainMs) tryAgain();
      if (tryAgainMs !== undefined && holds === 0) {
        lose(device, metrics, seq);
        seq += metrics.length;
        return;
      }
      const sent: Promise<void>[] = [];
      sendPortions(device, metrics, sent);
      await Promise.all(sent);
    },
    refused,
    take(count) {
      holds++;
      const first = seq;
      seq += count;
      const settled = underWay === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve));
      return { first, settled, release };
    },
    // With nothing on its way every number given so far is on disk or counted.
    durableEnd: () => (underWay === 0 && held.length === 0 ? seq : durableEnd),
    counts: () => ({ recorded, lost }),
  };
}
