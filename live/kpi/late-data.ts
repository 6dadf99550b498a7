import type { Ledger } from '../plant-state/ledger.ts';
import type { LedgerKeeper } from './ledger-keeper.ts';
import type { Member } from './scopes.ts';

/** Looks for samples that came after the figures of their time were computed: soon for the last days, slowly for all that is stored. */
export interface LateData {
  /** Asks the history at most one question; false: nothing is due. */
  step(nowMs: number): Promise<boolean>;
}

export interface LateDataDeps {
  readonly ledger: Ledger;
  readonly keeper: LedgerKeeper;
  members(): readonly Member[];
}

const dayMs = 86_400_000;
const recentMs = 2 * dayMs;
const recentEveryMs = 5 * 60_000;
const spanMs = 31 * dayMs;
const oldEveryMs = 60_000;

export function createLateData({ ledger, keeper, members }: LateDataDeps): LateData {
  const dueMs = new Map<string, number>();
  let oldDueMs = 0;
  /** Where the slow pass stands. */
  let place = { machine: '', to: 0 };

  /** The span before the one that was looked at last, of the same machine or of the next one. */
  function nextOld(list: readonly Member[]): Member | undefined {
    const index = list.findIndex(({ machine }) => machine === place.machine);
    const current = list[index];
    if (current !== undefined && place.to > (ledger.machine(current.machine).stored?.from ?? place.to)) return current;
    const next = list[(index + 1) % list.length];
    if (next !== undefined) place = { machine: next.machine, to: ledger.machine(next.machine).stored?.to ?? 0 };
    return next;
  }

  return {
    async step(nowMs) {
      const list = members().filter(({ machine }) => ledger.machine(machine).stored !== undefined);
      const recent = list.find(({ machine }) => (dueMs.get(machine) ?? 0) <= nowMs);
      if (recent !== undefined) {
        dueMs.set(recent.machine, nowMs + recentEveryMs);
        await keeper.findLate(recent, { from: nowMs - recentMs, to: nowMs }, nowMs);
        return true;
      }
      if (nowMs < oldDueMs) return false;
      oldDueMs = nowMs + oldEveryMs;
      const old = nextOld(list);
      if (old === undefined) return false;
      const from = place.to - spanMs;
      await keeper.findLate(old, { from, to: place.to }, nowMs);
      place = { ...place, to: from };
      return true;
    },
  };
}
