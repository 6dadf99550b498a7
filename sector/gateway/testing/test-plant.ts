import { emptyParts } from '@nhip/core/kpi/parts';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { MachineState } from '../../contract/report.ts';
import { kwhText, type PlantFigures, type SiteFigures } from '../figures.ts';

/** What a machine did, as the plant itself knows it. Known to the figures from `knownAtMs` on: until then the time is unknown. */
export interface Stretch {
  readonly machine: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: MachineState;
  /** Counted at the start. */
  readonly good: number;
  readonly scrap: number;
  readonly wh: number;
  readonly product: string;
  readonly knownAtMs: number;
}

export interface TestPlant {
  readonly figures: PlantFigures;
  /** The truth of a period, whatever has arrived. */
  truth(fromMs: number, toMs: number): SiteFigures;
  readonly stretches: readonly Stretch[];
}

const cycleMs = 4000;
const states: readonly MachineState[] = ['running', 'running', 'running', 'setup', 'idle', 'fault', 'stopped', 'notScheduled', 'unknown'];

/** A plant with a journal of its own, to the millisecond, seeded. Every `lateEvery`-th stretch is known only hours later. */
export function createTestPlant(options: {
  readonly seed: number;
  readonly machines: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly lateEvery: number;
  now(): number;
}): TestPlant {
  const random = createSimRandom(options.seed);
  const stretches: Stretch[] = [];
  for (let machine = 0; machine < options.machines; machine++) {
    for (let fromMs = options.fromMs; fromMs < options.toMs; ) {
      const toMs = Math.min(options.toMs, fromMs + 60_000 + Math.floor(random.next() * 3_000_000));
      const state = states[Math.floor(random.next() * states.length)] ?? 'running';
      const isRunning = state === 'running';
      const isLate = stretches.length % options.lateEvery === options.lateEvery - 1;
      stretches.push({
        machine,
        fromMs,
        toMs,
        state,
        good: isRunning ? Math.floor(random.next() * 500) : 0,
        scrap: isRunning ? Math.floor(random.next() * 9) : 0,
        wh: isRunning ? Math.floor(random.next() * 20_000) : 0,
        product: machine % 2 === 0 ? 'áo sơ mi' : 'quần tây',
        knownAtMs: isLate ? toMs + 3_600_000 + Math.floor(random.next() * 36_000_000) : toMs,
      });
      fromMs = toMs;
    }
  }
  const sum = (fromMs: number, toMs: number, knownAtMs: number): SiteFigures =>
    sumOf(stretches, options.machines, { fromMs, toMs, knownAtMs });
  return {
    stretches,
    truth: (fromMs, toMs) => sum(fromMs, toMs, Number.POSITIVE_INFINITY),
    figures: { site: async ({ fromMs, toMs }) => sum(fromMs, toMs, options.now()) },
  };
}

function sumOf(
  stretches: readonly Stretch[],
  machines: number,
  { fromMs, toMs, knownAtMs }: { readonly fromMs: number; readonly toMs: number; readonly knownAtMs: number },
): SiteFigures {
  const parts = emptyParts();
  const products = new Map<string, { good: number; scrap: number }>();
  parts.energyWh = 0;
  for (const each of stretches) {
    const ms = Math.min(each.toMs, toMs) - Math.max(each.fromMs, fromMs);
    if (ms <= 0) continue;
    const isKnown = each.knownAtMs <= knownAtMs;
    parts.statesMs[isKnown ? each.state : 'unknown'] += ms;
    if (!isKnown) continue;
    if (each.state === 'running') parts.aptMs += ms;
    if (each.state === 'setup') parts.setupMs += ms;
    if (each.state === 'fault') parts.adetMs += ms;
    if (each.state === 'idle' || each.state === 'stopped') parts.adotMs += ms;
    if (each.fromMs < fromMs) continue;
    const product = products.get(each.product) ?? { good: 0, scrap: 0 };
    products.set(each.product, { good: product.good + each.good, scrap: product.scrap + each.scrap });
    parts.good += each.good;
    parts.scrap += each.scrap;
    parts.energyWh += each.wh;
    if (each.state === 'fault') parts.failureEvents++;
  }
  parts.produced = parts.good + parts.scrap;
  parts.auptMs = parts.aptMs + parts.setupMs;
  parts.pbtMs = parts.auptMs + parts.adetMs + parts.adotMs;
  parts.ttrMs = parts.adetMs;
  parts.tbfMs = parts.auptMs;
  parts.idealMs = parts.produced * cycleMs;
  parts.idealGoodMs = parts.good * cycleMs;
  return {
    machinesTotal: machines + 1,
    machinesInstrumented: machines,
    parts,
    downtime: [{ reason: 'breakdown', ms: parts.adetMs, events: parts.failureEvents }],
    output: [...products].map(([product, { good, scrap }]) => ({
      product,
      produced: good + scrap,
      good,
      scrap,
      idealMs: (good + scrap) * cycleMs,
      idealGoodMs: good * cycleMs,
      origin: 'measured' as const,
    })),
    energy: [{ carrier: 'electricity_grid', unit: 'KWH', quantity: kwhText(parts.energyWh), origin: 'measured' as const }],
    outputMeasuredRatio: '1',
  };
}
