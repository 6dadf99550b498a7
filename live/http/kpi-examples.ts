import { kpiFigures } from '@nhip/core/kpi/figures';
import { emptyParts } from '@nhip/core/kpi/parts';
import type { Example } from './examples.ts';

const atMs = 1_795_150_800_000;
const hourMs = 3_600_000;
const machine = 'hoalac/press/M01';
const next = 'WzE3OTUxNTA4MDAwMDAsMTc5NTE3OTYwMDAwMCwxXQ';

/** Eight hours: an hour of breaks and planned stops, an hour of faults, 2,000 pieces of 10 s each. */
const parts = {
  ...emptyParts(),
  statesMs: { ...emptyParts().statesMs, running: 6 * hourMs, fault: hourMs, notScheduled: hourMs },
  ...{ potMs: 7 * hourMs, pbtMs: 7 * hourMs, aptMs: 6 * hourMs, auptMs: 6 * hourMs, adetMs: hourMs },
  ...{ failureEvents: 2, ttrMs: hourMs, tbfMs: 6 * hourMs, unexplainedStops: 1, unexplainedMs: 600_000 },
  ...{ produced: 2000, good: 1960, scrap: 40, idealMs: 20_000_000, idealGoodMs: 19_600_000, energyWh: 18_400 },
};

const row = {
  scope: { kind: 'machine', id: machine, name: { vi: 'Máy dập 1', en: 'Press 1' } },
  period: { from: atMs, to: atMs + 8 * hourMs, knownTo: atMs + 8 * hourMs, kind: 'shift', date: '2026-11-20', shift: 'A' },
  parts,
  figures: kpiFigures(parts),
  downtime: { breakdown: { ms: 3_000_000, events: 1 }, unexplained: { ms: 600_000, events: 1 } },
  products: [
    {
      ...{ product: 'P-100', produced: 2000, good: 1960, scrap: 40, rework: 0 },
      ...{ idealMs: 20_000_000, idealGoodMs: 19_600_000, producedWithoutIdeal: 0 },
    },
  ],
  machines: { total: 1, instrumented: 1 },
  ...{ revision: 1, fingerprint: '9f86d081884c7d65', isOpen: false, computedMs: atMs + 9 * hourMs },
};

const said = {
  ...{ id: 'c000000000001', machine, by: 'admin', atMs: atMs + hourMs, note: 'Thay khuôn', kind: 'reclassify' },
  ...{ fromMs: atMs + 1000, toMs: atMs + 601_000, reason: 'setup_changeover' },
};
const stop = {
  ...{ id: `${machine}@${atMs + 1000}`, machine, from: atMs + 1000, to: atMs + 601_000, state: 'setup', reason: 'setup_changeover' },
  ...{ reasonCode: 'setup_changeover', kind: 'planned', bucket: 'setup', isMicroStop: false, isUnexplained: false },
  corrections: [said],
};

export const kpiExamples: Readonly<Record<string, Example>> = {
  getKpi: { answer: { rows: [row], next } },
  getDowntime: { answer: { stops: [stop], next: null } },
  patchDowntimeId: { body: { action: 'reclassify', reason: 'setup_changeover', note: 'Thay khuôn' }, answer: { stops: [stop] } },
  getDowntimeIdHistory: { answer: { entries: [{ ...said, isHeld: true }], next: null } },
  getDowntimeReasons: {
    answer: {
      reasons: [
        {
          ...{ code: 'breakdown', kind: 'unplanned', name: { vi: 'Hỏng máy', en: 'Breakdown' } },
          plantCodes: [{ code: 'toolBroken', name: { vi: 'Gãy dao', en: 'Broken tool' } }],
        },
      ],
      next: null,
    },
  },
};
