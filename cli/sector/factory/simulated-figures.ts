import { downtimeReasons } from '@nhip/core/kpi/reasons';
import type { Span } from '@nhip/core/kpi/span';
import { addSums, type Sums } from '@nhip/core/kpi/sums';
import { kwhText, type PlantFigures, type ProductFigures, type SiteFigures } from '@nhip/sector/gateway/figures';
import type { PlantDefinition } from '@nhip/simulators/plants/definition';
import { createSimulatedWeeks, type SimulatedDay } from './simulated-weeks.ts';

/** Days whose sums are kept, some 50 kB each. */
const maxDays = 70;

/**
 * Figures of a simulated plant without machines, network or history: simulated when they are asked for. The same definition and seed give
 * the same figures after a restart as well. Rejects with RangeError for a period that is not made of whole hours of the books.
 */
export function createSimulatedFigures(definition: PlantDefinition, seed: number): PlantFigures {
  const weeks = createSimulatedWeeks(definition, seed);
  const known = new Map<number, SimulatedDay['hours']>();
  let queue: Promise<unknown> = Promise.resolve();

  async function hoursOf(day: Span): Promise<SimulatedDay['hours']> {
    const found = known.get(day.from);
    if (found !== undefined) return found;
    for await (const { from, hours } of weeks.upTo(day)) known.set(from, hours);
    for (const oldest of known.keys()) if (known.size > maxDays) known.delete(oldest);
    return known.get(day.from) ?? [];
  }

  async function site(span: Span): Promise<SiteFigures> {
    const sums: Sums[] = [];
    let reachedMs = span.from;
    for (const day of weeks.days(span)) {
      for (const hour of await hoursOf(day)) {
        if (hour.from !== reachedMs || hour.to > span.to) continue;
        sums.push(hour.sums);
        reachedMs = hour.to;
      }
    }
    if (reachedMs !== span.to) {
      const [from, to] = [span.from, span.to].map((ms) => new Date(ms).toISOString());
      throw new RangeError(`${from} to ${to} is not made of whole hours of ${definition.id}`);
    }
    return siteFigures(addSums(sums), weeks.machines);
  }

  return {
    site({ fromMs, toMs }) {
      // One after the other: there is one simulation.
      const answer = queue.then(() => site({ from: fromMs, to: toMs }));
      queue = answer.catch(() => undefined);
      return answer;
    },
  };
}

function siteFigures({ parts, downtime, products }: Sums, machines: number): SiteFigures {
  return {
    machinesTotal: machines,
    machinesInstrumented: machines,
    parts,
    downtime: downtimeReasons.flatMap(({ code }) => {
      const found = downtime[code];
      return found === undefined ? [] : [{ reason: code, ...found }];
    }),
    output: products.map(
      ({ product, produced, good, scrap, idealMs, idealGoodMs, producedWithoutIdeal }): ProductFigures => ({
        product,
        produced,
        good,
        scrap,
        ...(producedWithoutIdeal === 0 ? { idealMs, idealGoodMs } : {}),
        origin: 'measured',
      }),
    ),
    energy:
      parts.energyWh === null ? [] : [{ carrier: 'electricity_grid', unit: 'KWH', quantity: kwhText(parts.energyWh), origin: 'measured' }],
    outputMeasuredRatio: '1',
    energyMeasuredRatio: '1',
  };
}
