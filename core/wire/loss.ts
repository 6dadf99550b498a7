import { WireError } from './wire-error.ts';

/**
 * Losses as data. A sample that will never reach the store is part of exactly one loss: who lost it, why, which numbers of which
 * outbox and when. Edges report what they give up (metric `Outbox/Loss`); ingest adds what it gives up itself.
 */

/** Why samples will never reach the store. */
export const lossReasons = [
  /** The disk quota of the edge's outbox: the oldest were given up. */
  'outboxQuota',
  /** The edge's disk was full or refused to write. */
  'outboxFull',
  /** The edge's disk damaged what it held. */
  'outboxDamaged',
  /** Ingest asked for them again and the edge no longer has them. */
  'outboxGone',
  /** The outbox was lost as a whole: the edge began a new stream. */
  'outboxReplaced',
  /** The value did not fit the type of its metric. */
  'unfitValue',
  /** One value was larger than one message may be. */
  'oversizedValue',
  /** The agent did not run, or was killed before its last readings were on disk: a span of time, not a number of samples. */
  'agentDown',
  /** Records of the server's log that were gone or damaged before they were stored: a number of messages, not of samples. */
  'logGone',
  /** An edge's numbers were so scattered that their bookkeeping was cut. */
  'tooScattered',
  /** Kept as dead letters instead. */
  'deadLettered',
] as const;
export type LossReason = (typeof lossReasons)[number];

/** What an edge reports, in its own words: numbers [seqFrom, seqTo) of a stream. Sent until it is acknowledged. */
export interface LossReport {
  /** Id of the ledger that numbers the reports, 32 hex digits; with `no` it tells a repeated report from a new one. */
  readonly ledger: string;
  readonly no: number;
  readonly reason: LossReason;
  /** 32 hex digits. */
  readonly stream: string;
  /** Equal to `seqTo` when no number is concerned (`agentDown`). */
  readonly seqFrom: number;
  readonly seqTo: number;
  /** Source times of the first and the last, ms UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Whose samples, when it is known: by device, metric and hour. Their sum is at most seqTo − seqFrom. */
  readonly rows: readonly LossReportRow[];
}

export interface LossReportRow {
  readonly device: string;
  readonly metric: string;
  readonly samples: number;
  /** Both in the same hour (UTC). */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A loss as the store keeps it: of one series in one hour, or of an edge when nobody knows whose samples they were. */
export interface Loss {
  /** `<group>/<edge>`; '' when not even that is known. */
  readonly edge: string;
  /** `<group>/<edge>/<device>`; '' when it is not known. */
  readonly machine: string;
  /** '' when it is not known. */
  readonly metric: string;
  readonly reason: LossReason;
  /** For the person who looks at it, e.g. the reason of a dead letter; '' for none. */
  readonly detail: string;
  /** 0 for `agentDown` and `logGone`, whose number nobody can know. Negative when dead letters were replayed. */
  readonly samples: number;
  /** '' and 0, 0 when no number is concerned. */
  readonly stream: string;
  readonly seqFrom: number;
  readonly seqTo: number;
  /** Source times, ms UTC; of arrival when no other is known. */
  readonly fromMs: number;
  readonly toMs: number;
  /** When the server learned of it, ms UTC. */
  readonly atMs: number;
}

/** Bounds of a report on the wire: what is beyond them was not made by our edge. */
export const maxLossReportRows = 5000;
export const maxLossReportText = 512;

const hourMs = 3_600_000;

/** JSON text, the keys of LossReport. */
export function encodeLossReport(report: LossReport): string {
  const { ledger, no, reason, stream, seqFrom, seqTo, fromMs, toMs, rows } = report;
  return JSON.stringify({
    ledger,
    no,
    reason,
    stream,
    seqFrom,
    seqTo,
    fromMs,
    toMs,
    rows: rows.map(({ device, metric, samples, fromMs: first, toMs: last }) => ({ device, metric, samples, fromMs: first, toMs: last })),
  });
}

/**
 * Reads a report and checks every promise of LossReport. Throws WireError when one does not hold: the text came over the network.
 * Unknown keys are ignored, so that a newer edge may say more.
 */
export function decodeLossReport(text: string): LossReport {
  const report = objectAt(parse(text), 'report');
  const { ledger, reason, stream } = report;
  const [seqFrom, seqTo] = orderedAt(report, 'seqFrom', 'seqTo', 'report');
  const [fromMs, toMs] = orderedAt(report, 'fromMs', 'toMs', 'report');
  const rows = rowsAt(report.rows);
  if (!isHexId(ledger)) throw malformed('ledger is not 32 hex digits');
  if (!isHexId(stream)) throw malformed('stream is not 32 hex digits');
  if (!isLossReason(reason)) throw malformed(`${JSON.stringify(reason)?.slice(0, 40)} is no reason`);
  const samples = rows.reduce((sum, row) => sum + row.samples, 0);
  if (samples > seqTo - seqFrom) throw malformed(`rows tell ${samples} samples, the report has ${seqTo - seqFrom} numbers`);
  return { ledger, no: countAt(report, 'no', 'report'), reason, stream, seqFrom, seqTo, fromMs, toMs, rows };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('it is not JSON');
  }
}

function rowsAt(value: unknown): readonly LossReportRow[] {
  if (!Array.isArray(value)) throw malformed('rows is no list');
  if (value.length > maxLossReportRows) throw malformed(`${value.length} rows, at most ${maxLossReportRows} are allowed`);
  return value.map((item: unknown, i) => {
    const where = `rows[${i}]`;
    const row = objectAt(item, where);
    const [fromMs, toMs] = orderedAt(row, 'fromMs', 'toMs', where);
    if (Math.floor(fromMs / hourMs) !== Math.floor(toMs / hourMs)) throw malformed(`${where} is not within one hour`);
    return {
      device: textAt(row, 'device', where),
      metric: textAt(row, 'metric', where),
      samples: countAt(row, 'samples', where),
      fromMs,
      toMs,
    };
  });
}

function objectAt(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${where} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function countAt(from: Readonly<Record<string, unknown>>, key: string, where: string): number {
  const value = from[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw malformed(`${where}.${key} is no whole number from 0 on`);
  return value;
}

function orderedAt(from: Readonly<Record<string, unknown>>, low: string, high: string, where: string): readonly [number, number] {
  const first = countAt(from, low, where);
  const last = countAt(from, high, where);
  if (last < first) throw malformed(`${where}.${high} is below ${low}`);
  return [first, last];
}

function textAt(from: Readonly<Record<string, unknown>>, key: string, where: string): string {
  const value = from[key];
  if (typeof value !== 'string' || value.length > maxLossReportText)
    throw malformed(`${where}.${key} is no text of at most ${maxLossReportText}`);
  return value;
}

function isHexId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}

function isLossReason(value: unknown): value is LossReason {
  return lossReasons.some((reason) => reason === value);
}

function malformed(what: string): WireError {
  return new WireError('wire.malformed', `Outbox/Loss: ${what}`);
}
