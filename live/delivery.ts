import { type Completeness, deliveryOf } from '@nhip/core/wire/live';
import type { Loss, LossReason } from '@nhip/core/wire/loss';
import type { HistoryStore } from '@nhip/stores/history-store';

/** Loss rows read to tell why samples are missing; the sums do not depend on it. */
const maxLossRows = 10_000;

export interface DeliveryRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

/** The edge of a machine id `<group>/<edge>/<device>`. */
export function edgeOf(machine: string): string {
  return machine.slice(0, machine.lastIndexOf('/'));
}

/** What became of the samples of one machine whose time is in [fromMs, toMs), and why some are missing. */
export async function readCompleteness(store: HistoryStore, machine: string, range: DeliveryRange): Promise<Completeness> {
  const { fromMs, toMs, nowMs } = range;
  const rows = await store.delivery(machine, fromMs, toMs);
  // A loss is reported after its samples were made, so an hour of clock error is allowed for and no more is looked at.
  const reported = { fromMs: fromMs - 3_600_000, toMs: nowMs + 3_600_000 };
  const losses = await store.losses({ ...reported, edge: edgeOf(machine), limit: maxLossRows });
  const concerned = losses.filter((loss) => loss.fromMs >= fromMs && loss.fromMs < toMs);
  return {
    rows: rows.map(({ metric, hourMs, ...counts }) => ({ metric, t: hourMs, ...deliveryOf(counts) })),
    totals: deliveryOf({
      stored: sum(rows, (row) => row.stored),
      lost: sum(rows, (row) => row.lost),
      deadLettered: sum(rows, (row) => row.deadLettered),
    }),
    reasons: byReason(concerned.filter((loss) => loss.machine === machine)),
    unattributed: sum(
      concerned.filter((loss) => loss.machine === '' && loss.reason !== 'deadLettered'),
      (loss) => loss.samples,
    ),
  };
}

function byReason(losses: readonly Loss[]): Completeness['reasons'] {
  const samples = new Map<LossReason, number>();
  for (const loss of losses) samples.set(loss.reason, (samples.get(loss.reason) ?? 0) + loss.samples);
  return [...samples]
    .map(([reason, count]) => ({ reason, samples: count }))
    .filter((row) => row.samples > 0)
    .sort((a, b) => b.samples - a.samples);
}

export function sum<Row>(rows: readonly Row[], figure: (row: Row) => number): number {
  return rows.reduce((total, row) => total + figure(row), 0);
}
