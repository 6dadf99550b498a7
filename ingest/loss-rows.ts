import { nodeDevice } from '@nhip/core/telemetry/edge-session';
import type { RejectRow } from '@nhip/core/telemetry/rejects';
import type { Loss, LossReport } from '@nhip/core/wire/loss';
import { machineId } from '@nhip/core/wire/sample';
import { isId } from '@nhip/core/wire/topic';

/** The last millisecond that a calendar knows (ECMA-262, time values). */
const latestTimeMs = 8.64e15;
const hourMs = 3_600_000;
/** Rows of dead letters in one batch; samples of further series are counted without their metric. */
const maxDeadRows = 2000;

/** A loss of which nothing is known yet. */
export function blankLoss(edge: string, reason: Loss['reason'], atMs: number): Loss {
  return {
    edge,
    machine: '',
    metric: '',
    reason,
    detail: '',
    samples: 0,
    stream: '',
    seqFrom: 0,
    seqTo: 0,
    fromMs: atMs,
    toMs: atMs,
    atMs,
  };
}

/**
 * The rows of an edge's report of which `unseen` numbers are new to this server. When some were seen, nobody knows which rows they belong
 * to: each row is scaled down, by largest remainder, so that the sum is exact.
 */
export function lossesOfReport(edge: string, report: LossReport, unseen: number, atMs: number): readonly Loss[] {
  const { reason, stream, seqFrom, seqTo, rows } = report;
  const [group = '', node = ''] = edge.split('/');
  const whole: Loss = { ...blankLoss(edge, reason, atMs), stream, seqFrom, seqTo, fromMs: time(report.fromMs), toMs: time(report.toMs) };
  if (seqTo === seqFrom) return [whole];
  const known = rows.reduce((sum, row) => sum + row.samples, 0);
  const shares = apportion(unseen, [...rows.map(({ samples }) => samples), seqTo - seqFrom - known]);
  const losses: Loss[] = [];
  shares.forEach((samples, i) => {
    const row = rows[i];
    if (samples === 0) return;
    if (row === undefined) losses.push({ ...whole, samples });
    else {
      const device = row.device === '' ? nodeDevice : row.device;
      const machine = isId(device) ? machineId(group, node, device) : '';
      losses.push({ ...whole, samples, machine, metric: row.metric, fromMs: time(row.fromMs), toMs: time(row.toMs) });
    }
  });
  return losses;
}

/** Splits `total` by `weights`, whose sum is at least `total`: whole numbers, each at most its weight, with exactly that sum. */
export function apportion(total: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  if (total >= sum) return weights;
  const parts = weights.map((weight, i) => {
    const exact = BigInt(total) * BigInt(weight);
    return { i, share: Number(exact / BigInt(sum)), rest: exact % BigInt(sum) };
  });
  let left = total - parts.reduce((all, { share }) => all + share, 0);
  const shares = parts.map(({ share }) => share);
  for (const { i } of [...parts].sort((a, b) => (a.rest === b.rest ? a.i - b.i : a.rest < b.rest ? 1 : -1))) {
    if (left === 0) break;
    shares[i] = (shares[i] ?? 0) + 1;
    left--;
  }
  return shares;
}

function time(ms: number): number {
  return Math.min(ms, latestTimeMs);
}

/** Where a dead letter's samples come from. */
export interface DeadSource {
  readonly edge: string;
  readonly detail: string;
  readonly stream: string;
  readonly seqFrom: number;
  readonly seqTo: number;
  readonly atMs: number;
}

/** The losses of one batch. Dead letters of one series, hour and reason are one row. */
export class LossList {
  readonly #all: Loss[] = [];
  readonly #dead = new Map<string, Loss>();

  get size(): number {
    return this.#all.length + this.#dead.size;
  }

  add(...losses: readonly Loss[]): void {
    for (const loss of losses) this.#all.push(loss);
  }

  /** `samples` of a dead letter's row; negative when they were stored after all. */
  addDead(source: DeadSource, row: Pick<RejectRow, 'machine' | 'metric' | 'fromMs' | 'toMs'>, samples: number): void {
    const metric = this.#dead.size < maxDeadRows ? row.metric : '';
    const hour = Math.floor(row.fromMs / hourMs);
    const key = [source.edge, source.detail, source.stream, Math.sign(samples), row.machine, hour, metric].join('\n');
    const known = this.#dead.get(key);
    if (known === undefined) {
      const { fromMs, toMs, machine } = row;
      this.#dead.set(key, { ...source, reason: 'deadLettered', machine, metric, samples, fromMs, toMs });
      return;
    }
    this.#dead.set(key, {
      ...known,
      samples: known.samples + samples,
      seqFrom: Math.min(known.seqFrom, source.seqFrom),
      seqTo: Math.max(known.seqTo, source.seqTo),
      fromMs: Math.min(known.fromMs, row.fromMs),
      toMs: Math.max(known.toMs, row.toMs),
    });
  }

  list(): readonly Loss[] {
    return [...this.#all, ...this.#dead.values()];
  }
}
