import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { nodeDevice } from '@nhip/core/telemetry/edge-session';
import { type Delivery, deliveryOf, type EdgeHealth } from '@nhip/core/wire/live';
import type { HistoryStore, LossTotal } from '@nhip/stores/history-store';
import { createBackground } from './background.ts';
import { edgeOf, sum } from './delivery.ts';
import type { Gate } from './gate.ts';

type EdgeDelivery = Pick<EdgeHealth, 'delivery24h' | 'lastLoss'>;

/** Delivery per edge, for whoever looks: counted in the background, so that no request waits for it and no viewer can ask too often. */
export interface DeliveryBoard {
  edge(id: string): EdgeDelivery;
  /** Lost and dead-lettered samples over the whole time. */
  totals(): readonly LossTotal[];
  stop(): Promise<void>;
}

export interface DeliveryBoardDeps {
  readonly store: HistoryStore;
  /** Shared with the queries of viewers. */
  readonly queries: Gate;
  readonly clock: Clock;
  readonly log: Log;
}

const totalsEveryMs = 5000;
const deliveryEveryMs = 45_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** After a query the count rests this many times as long as the query took: it never takes more than a fifth of one reader. */
const restFactor = 4;
const maxLossRows = 5000;

interface Totals {
  readonly rows: readonly LossTotal[];
  readonly lastLoss: ReadonlyMap<string, NonNullable<EdgeHealth['lastLoss']>>;
}

export function createDeliveryBoard({ store, queries, clock, log }: DeliveryBoardDeps): DeliveryBoard {
  const totals = createBackground({ clock, log, what: 'losses', everyMs: totalsEveryMs, make: readTotals });
  const delivery = createBackground({ clock, log, what: 'delivery', everyMs: deliveryEveryMs, make: countDelivery });
  let known: Totals = { rows: [], lastLoss: new Map() };

  async function readTotals(): Promise<Totals> {
    const rows = await queries.run(() => store.lossTotals());
    const newest = new Map<string, LossTotal>();
    for (const row of rows) {
      if (row.reason !== 'deadLettered' && row.lastAtMs >= (newest.get(row.edge)?.lastAtMs ?? 0)) newest.set(row.edge, row);
    }
    const lastLoss = new Map<string, NonNullable<EdgeHealth['lastLoss']>>();
    for (const [edge, { reason, lastAtMs: atMs }] of newest) {
      const before = known.lastLoss.get(edge);
      const samples = before?.atMs === atMs && before.reason === reason ? before.samples : await lostAt(edge, reason, atMs);
      lastLoss.set(edge, { reason, samples, atMs });
    }
    known = { rows, lastLoss };
    return known;
  }

  /** A report has a row for each series and hour. */
  async function lostAt(edge: string, reason: string, atMs: number): Promise<number> {
    const rows = await queries.run(() => store.losses({ edge, fromMs: atMs, toMs: atMs + 1, limit: maxLossRows }));
    return sum(
      rows.filter((row) => row.reason === reason),
      (row) => row.samples,
    );
  }

  async function rested<Result>(signal: AbortSignal, query: () => Promise<Result>): Promise<Result> {
    const startMs = clock.monotonic();
    const result = await queries.run(query);
    await clock.sleep((clock.monotonic() - startMs) * restFactor, signal);
    return result;
  }

  /** Machine by machine, in whole hours: the running one and the 23 before it. */
  async function countDelivery(signal: AbortSignal): Promise<ReadonlyMap<string, Delivery>> {
    const toMs = (Math.floor(clock.now() / hourMs) + 1) * hourMs;
    const fromMs = toMs - dayMs;
    const machines = new Set(store.series().map(({ machine }) => machine));
    const counts = new Map<string, { stored: number; lost: number; deadLettered: number }>();
    const countsOf = (edge: string) => {
      const found = counts.get(edge) ?? { stored: 0, lost: 0, deadLettered: 0 };
      counts.set(edge, found);
      return found;
    };
    const totals = await rested(signal, () => store.lossTotals());
    for (const edge of new Set(totals.filter(({ lastAtMs }) => lastAtMs >= fromMs).map((row) => row.edge))) {
      const losses = await rested(signal, () => store.losses({ edge, fromMs, toMs, limit: maxLossRows }));
      for (const { machine, reason, samples } of losses) {
        // A machine may have lost everything; of some samples nobody knows the machine.
        if (machine !== '') machines.add(machine);
        else if (reason === 'deadLettered') countsOf(edge).deadLettered += samples;
        else countsOf(edge).lost += samples;
      }
    }
    for (const machine of machines) {
      // The edge's own figures take no numbers: they are not part of the guarantee.
      if (machine.endsWith(`/${nodeDevice}`)) continue;
      const edge = countsOf(edgeOf(machine));
      for (const row of await rested(signal, () => store.delivery(machine, fromMs, toMs))) {
        edge.stored += row.stored;
        edge.lost += row.lost;
        edge.deadLettered += row.deadLettered;
      }
    }
    return new Map([...counts].map(([edge, sums]) => [edge, deliveryOf(sums)]));
  }

  return {
    edge(id) {
      const counted = delivery.read();
      return {
        delivery24h: counted === undefined ? null : (counted.get(id) ?? deliveryOf({ stored: 0, lost: 0, deadLettered: 0 })),
        lastLoss: totals.read()?.lastLoss.get(id) ?? null,
      };
    },
    totals: () => totals.read()?.rows ?? [],
    async stop() {
      await Promise.all([totals.stop(), delivery.stop()]);
    },
  };
}
