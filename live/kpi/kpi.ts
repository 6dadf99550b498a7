import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { EdgeConnection, MachineView } from '@nhip/core/wire/live';
import type { PlantModel } from '@nhip/core/wire/plant';
import type { HistoryStore } from '@nhip/stores/history-store';
import type { Gate } from '../gate.ts';
import type { MetricFamily } from '../http/prometheus.ts';
import type { PlantState } from '../plant-state/plant-state.ts';
import { createDowntime, type Downtime } from './downtime.ts';
import { kpiFamilies } from './kpi-metrics.ts';
import { createKpiService, type KpiService } from './kpi-service.ts';
import { createLateData } from './late-data.ts';
import { createLedgerKeeper } from './ledger-keeper.ts';
import { createMachineReader } from './machine-history.ts';
import { createPlantTime } from './plant-time.ts';
import { allMembers, createScopes } from './scopes.ts';
import { createStopReader } from './stop-reader.ts';

/** Figures and stops, and the work in the background that keeps the ledger. */
export interface Kpi {
  readonly service: KpiService;
  readonly downtime: Downtime;
  families(): readonly MetricFamily[];
  /** Does the most urgent piece of the work in the background; false: there is none. */
  step(nowMs: number): Promise<boolean>;
  /** Begins to keep the ledger. */
  start(): void;
  /** Ends with the running step. Idempotent. */
  stop(): Promise<void>;
}

export interface KpiDeps {
  readonly store: HistoryStore;
  readonly state: PlantState;
  readonly plant: PlantModel | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Shared with the queries of viewers. */
  readonly queries: Gate;
  readonly unknownAfterMs: number;
  machines(): readonly MachineView[];
  edges(): readonly EdgeConnection[];
}

/** After a step the ledger rests this many times as long as it took: it never takes more than a fifth of one reader. */
const restFactor = 4;
const idleMs = 5000;
const afterFailureMs = 30_000;
const closeOpenEveryMs = 10 * 60_000;

export function createKpi(deps: KpiDeps): Kpi {
  const { store, state, plant, clock, log, queries, unknownAfterMs } = deps;
  const { corrections, ledger } = state;
  const time = createPlantTime(plant);
  const scope = createScopes({ plant, machines: deps.machines });
  const members = () => {
    const site = scope('site');
    return site === undefined ? [] : allMembers(site);
  };
  const reader = createMachineReader({ store, time, plant, corrections, unknownAfterMs });
  const keeper = createLedgerKeeper({ store, ledger, reader, time, plant, members, unknownAfterMs, log });
  const late = createLateData({ ledger, keeper, members });
  const service = createKpiService({ store, ledger, keeper, reader, time, scope, edges: deps.edges });
  const isMachine = (id: string) => scope(`machine:${id}`) !== undefined;
  const downtime = createDowntime({ corrections, stopReader: createStopReader(reader, time), reader, time, plant, isMachine });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let closeOpenMs = 0;

  async function step(nowMs: number): Promise<boolean> {
    if (nowMs >= closeOpenMs) {
      closeOpenMs = nowMs + closeOpenEveryMs;
      await downtime.closeOpen(nowMs);
    }
    return (await keeper.step(nowMs)) || (await late.step(nowMs));
  }

  async function run(): Promise<void> {
    let hasFailed = false;
    while (!stopping.signal.aborted) {
      const startMs = clock.monotonic();
      let waitMs = idleMs;
      try {
        const hasWorked = await queries.run(() => step(clock.now()));
        if (hasWorked) waitMs = (clock.monotonic() - startMs) * restFactor;
        if (hasFailed) log.info({}, 'The ledger of figures is kept again');
        hasFailed = false;
      } catch (error) {
        if (!hasFailed)
          log.warn({ err: error }, 'The ledger of figures cannot be kept; it is tried again, requests compute what is missing');
        hasFailed = true;
        waitMs = afterFailureMs;
      }
      await clock.sleep(waitMs, stopping.signal).catch(() => undefined);
    }
  }

  return {
    service,
    downtime,
    step,
    families: () => kpiFamilies(ledger.stats(), keeper.stats(), ledger.dirty().length),
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
