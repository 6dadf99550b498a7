import { type LossReportRow, maxLossReportRows, maxLossReportText } from '@nhip/core/wire/loss';

const hourMs = 3_600_000;
/** What a row takes in a report beside its names, at most. */
const rowBytes = 110;

interface MutableRow {
  readonly device: string;
  readonly metric: string;
  samples: number;
  fromMs: number;
  toMs: number;
}

/** What a report may hold, so that it is one message. */
export interface TallyLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Rows that fit a message of `maxPayloadBytes` beside the node's own metrics. */
export function tallyLimits(maxPayloadBytes: number): TallyLimits {
  return { maxRows: maxLossReportRows, maxBytes: maxPayloadBytes - 2048 };
}

/**
 * Counts lost samples by device, metric and hour. Detail can be dropped, counts cannot: `samples` is at least the sum of the rows.
 * A name that is too long for a report is counted as ''.
 */
export class LossTally {
  samples = 0;
  fromMs = Number.MAX_SAFE_INTEGER;
  toMs = 0;
  private rows = new Map<string, MutableRow>();
  private bytes = 0;

  get hasRows(): boolean {
    return this.rows.size > 0;
  }

  /** One sample. */
  add(device: string, metric: string, timestampMs: number): void {
    const time = whole(timestampMs);
    this.samples++;
    this.addSpan(time, time);
    this.addRow({ device: bounded(device), metric: bounded(metric), samples: 1, fromMs: time, toMs: time });
  }

  /** Samples of which nothing but their number and a span of time is known; any part may be 0. */
  addUnknown(samples: number, fromMs: number, toMs: number): void {
    this.samples += samples;
    this.addSpan(fromMs, toMs);
  }

  /** A row of samples that are counted already. */
  addRow({ device, metric, samples, fromMs, toMs }: LossReportRow): void {
    const key = `${Math.floor(fromMs / hourMs)} ${device}\n${metric}`;
    const row = this.rows.get(key);
    if (row === undefined) {
      this.rows.set(key, { device, metric, samples, fromMs, toMs });
      this.bytes += rowBytes + Buffer.byteLength(JSON.stringify(device)) + Buffer.byteLength(JSON.stringify(metric));
      return;
    }
    row.samples += samples;
    row.fromMs = Math.min(row.fromMs, fromMs);
    row.toMs = Math.max(row.toMs, toMs);
  }

  /** Whether a report takes these rows and `other`'s. */
  fitsWith(other: LossTally, { maxRows, maxBytes }: TallyLimits): boolean {
    return this.rows.size + other.rows.size <= maxRows && this.bytes + other.bytes <= maxBytes;
  }

  merge(other: LossTally): void {
    this.samples += other.samples;
    this.addSpan(other.fromMs, other.toMs);
    for (const row of other.rows.values()) this.addRow(row);
  }

  /** Drops detail: first the metrics, at the next call all rows. False when there is nothing left to drop. */
  coarsen(): boolean {
    const rows = [...this.rows.values()];
    if (rows.length === 0) return false;
    this.rows = new Map();
    this.bytes = 0;
    if (rows.some(({ metric }) => metric !== '')) for (const row of rows) this.addRow({ ...row, metric: '' });
    return true;
  }

  list(): readonly LossReportRow[] {
    return [...this.rows.values()].map((row) => ({ ...row }));
  }

  private addSpan(fromMs: number, toMs: number): void {
    this.fromMs = Math.min(this.fromMs, whole(fromMs));
    this.toMs = Math.max(this.toMs, whole(toMs));
  }
}

/** A time that a report can carry. */
function whole(ms: number): number {
  return Math.min(Math.max(0, Math.floor(ms)), Number.MAX_SAFE_INTEGER);
}

function bounded(name: string): string {
  return name.length <= maxLossReportText ? name : '';
}
