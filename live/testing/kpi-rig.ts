import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KpiRow } from '@nhip/core/kpi/answers';
import type { PeriodKind } from '@nhip/core/kpi/periods';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import type { PlantModel } from '@nhip/core/wire/plant';
import type { HistoryStore } from '@nhip/stores/history-store';
import { createGate } from '../gate.ts';
import { createKpi, type Kpi } from '../kpi/kpi.ts';
import type { ScopeMembers } from '../kpi/scopes.ts';
import { openPlantState, type PlantState } from '../plant-state/plant-state.ts';

/** Figures over a store without the service around them, and with a clock that the test turns. */
export interface KpiRig {
  readonly kpi: Kpi;
  readonly state: PlantState;
  readonly dataDir: string;
  /** Works in the background until there is nothing to do at that time. */
  work(nowMs: number): Promise<void>;
  rows(scope: string, fromMs: number, toMs: number, nowMs: number, options?: RowOptions): Promise<readonly KpiRow[]>;
  scope(text: string): ScopeMembers;
  close(options?: { readonly keepFiles: boolean }): Promise<void>;
}

export interface RowOptions {
  readonly by?: PeriodKind;
  readonly hasChildren?: boolean;
}

export interface KpiRigOptions {
  readonly store: HistoryStore;
  readonly plant: PlantModel;
  readonly dataDir?: string;
}

const unknownAfterMs = 15 * 60_000;
const maxSteps = 10_000;

export async function startKpiRig({ store, plant, dataDir = mkdtempSync(join(tmpdir(), 'nhip-kpi-')) }: KpiRigOptions): Promise<KpiRig> {
  const state = await openPlantState(dataDir);
  const { clock } = createNodeEnv(dataDir);
  const queries = createGate('queries', { atOnce: 4, queued: 32 });
  const from = { store, state, plant, clock, queries, unknownAfterMs };
  const kpi = createKpi({ ...from, log: silentLog(), machines: () => [], edges: () => [] });

  function scope(text: string): ScopeMembers {
    const found = kpi.service.scope(text);
    if (found === undefined) throw new Error(`no ${text}`);
    return found;
  }

  return {
    kpi,
    state,
    dataDir,
    scope,
    async work(nowMs) {
      for (let i = 0; i < maxSteps; i++) if (!(await kpi.step(nowMs))) return;
      throw new Error(`still at work after ${maxSteps} steps`);
    },
    async rows(text, fromMs, toMs, nowMs, { by, hasChildren = false } = {}) {
      const page = { skip: 0, limit: 100_000 };
      return (await kpi.service.rows({ scope: scope(text), fromMs, toMs, by, hasChildren, nowMs, ...page })).rows;
    },
    async close(options) {
      await state.close();
      if (options?.keepFiles !== true) rmSync(dataDir, { recursive: true });
    },
  };
}
