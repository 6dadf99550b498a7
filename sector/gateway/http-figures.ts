import { emptyParts, type KpiParts } from '@nhip/core/kpi/parts';
import { downtimeReasons } from '@nhip/core/kpi/reasons';
import { RetryableError, reasonOf } from '@nhip/core/process/errors';
import { machineStates } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';
import { kwhText, type PlantFigures, type ProductFigures, type SiteFigures } from './figures.ts';

const timeoutMs = 30_000;
const maxAnswerBytes = 4_194_304;

const { statesMs: _states, energyWh: _energy, ...plain } = emptyParts();
const sums = z.object({
  ...Object.fromEntries(Object.keys(plain).map((name) => [name, z.number()])),
  statesMs: z.record(z.enum(machineStates), z.number()),
  energyWh: z.number().nullable(),
}) as unknown as z.ZodType<KpiParts>;

/** What is read of `GET /api/v1/kpi`; more may be in it. */
const answer = z.looseObject({
  rows: z
    .array(
      z.looseObject({
        period: z.looseObject({ from: z.number(), to: z.number(), knownTo: z.number() }),
        parts: sums,
        downtime: z.record(z.string(), z.object({ ms: z.number(), events: z.number() })),
        products: z.array(
          z.looseObject({
            product: z.string().nullable(),
            produced: z.number(),
            good: z.number(),
            scrap: z.number(),
            idealMs: z.number(),
            idealGoodMs: z.number(),
            producedWithoutIdeal: z.number(),
          }),
        ),
        machines: z.object({ total: z.number(), instrumented: z.number() }),
      }),
    )
    .length(1),
});
type Row = z.infer<typeof answer>['rows'][number];

/** Where the API of the plant is, and a token that may read it; undefined while it does not run. */
export type PlantApi = () => { readonly url: string; readonly token: string } | undefined;

/** The figures of the plant by its own public API. */
export function createHttpFigures(api: PlantApi): PlantFigures {
  return {
    async site({ fromMs, toMs }) {
      const row = await ask(api, `/api/v1/kpi?${new URLSearchParams({ scope: 'site', from: iso(fromMs), to: iso(toMs) })}`);
      if (row.period.from !== fromMs || row.period.to !== toMs || row.period.knownTo < toMs)
        throw new RetryableError(
          'gateway.figures',
          `The figures of ${iso(fromMs)} are not whole yet: they reach to ${iso(row.period.knownTo)}`,
        );
      return siteFigures(row);
    },
  };
}

async function ask(api: PlantApi, path: string): Promise<Row> {
  const at = api();
  if (at === undefined) throw new RetryableError('gateway.figures', 'The API of the plant does not run yet');
  let status: number;
  let text: string;
  try {
    const headers = { authorization: `Bearer ${at.token}`, accept: 'application/json' };
    const response = await fetch(`${at.url}${path}`, { headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    status = response.status;
    text = await response.text();
  } catch (error) {
    throw new RetryableError('gateway.figures', `The API of the plant did not answer: ${reasonOf(error)}`, { cause: error });
  }
  if (status !== 200 || text.length > maxAnswerBytes)
    throw new RetryableError('gateway.figures', `The API of the plant answered ${status}: ${text.slice(0, 300)}`);
  const parsed = answer.safeParse(parseJson(text));
  const [row] = parsed.data?.rows ?? [];
  if (row !== undefined) return row;
  throw new RetryableError('gateway.figures', `The API of the plant answered something else: ${parsed.error?.issues[0]?.message ?? ''}`);
}

function siteFigures({ parts, downtime, products, machines }: Row): SiteFigures {
  return {
    machinesTotal: machines.total,
    machinesInstrumented: machines.instrumented,
    parts,
    downtime: downtimeReasons.flatMap(({ code }) => {
      const found = downtime[code];
      return found === undefined ? [] : [{ reason: code, ...found }];
    }),
    output: products.map(productFigures),
    energy:
      parts.energyWh === null ? [] : [{ carrier: 'electricity_grid', unit: 'KWH', quantity: kwhText(parts.energyWh), origin: 'measured' }],
  };
}

/** Two counters that are read at different times may show more good pieces than pieces: the good ones were seen, so they were made. */
function productFigures({
  product,
  good,
  scrap,
  produced,
  idealMs,
  idealGoodMs,
  producedWithoutIdeal,
}: Row['products'][number]): ProductFigures {
  const hasIdeal = producedWithoutIdeal === 0;
  return {
    product,
    produced: scrap < 0 ? good : produced,
    good,
    scrap: Math.max(0, scrap),
    ...(hasIdeal ? { idealMs: Math.max(idealMs, idealGoodMs), idealGoodMs } : {}),
    origin: 'measured',
    ...(scrap < 0 ? { flag: { obsStatus: 'E' } } : {}),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
