import { localTime } from '../contract/period.ts';
import type {
  Activity,
  Digest,
  Energy,
  Kpi,
  Output,
  Period,
  QualityFlag,
  ReportContent,
  Reporter,
  ReportStatus,
  RevisionReason,
} from '../contract/report.ts';
import { contractName, contractVersion } from '../contract/report.ts';
import { decimalOf, type EnergyFigures, type FigureFlag, type SiteFigures } from './figures.ts';
import { type ProductCodes, productRows } from './product-rows.ts';
import { reportSeconds, shareSeconds } from './report-seconds.ts';

/** What is the same in every report of the plant. */
export interface PlantIdentity {
  readonly reporter: Reporter;
  readonly activity: Activity;
  readonly products: ProductCodes;
  /** Name and version of the software, `nhip/0.1.0`. */
  readonly agent: string;
}

/** What makes one report out of figures. */
export interface Edition {
  /** UUID, another one for each revision. */
  readonly reportId: string;
  readonly issuedAtMs: number;
  readonly status: Exclude<ReportStatus, 'withdrawn'>;
  /** From revision 2 on. */
  readonly follows?: Follows;
  readonly sourceHash: Digest;
}

/** The revision that is replaced, and why. */
export interface Follows {
  readonly revision: number;
  readonly reportId: string;
  readonly digest: Digest;
  readonly reason: RevisionReason;
}

/**
 * The whole report of a period, before the policy filter. Every field is written out here from a number or a configured code: nothing
 * that the figures carry besides can get into it, so no name of a person, machine, order or product of the plant does.
 * Throws a RangeError for a quantity that is negative.
 */
export function buildReport(figures: SiteFigures, period: Period, plant: PlantIdentity, edition: Edition): ReportContent {
  const seconds = reportSeconds(figures.parts);
  const { output, flags } = outputOf(figures, plant.products, seconds.kpi);
  const energy = figures.energy.map(energyRow);
  const { outputMeasuredRatio, energyMeasuredRatio, clockMaxSkewMs } = figures;
  return {
    ...headOf(period, plant, edition),
    status: edition.status,
    coverage: {
      machinesTotal: figures.machinesTotal,
      machinesInstrumented: figures.machinesInstrumented,
      secondsExpected: seconds.expected,
      secondsObserved: seconds.observed,
      ...(outputMeasuredRatio === undefined ? {} : { outputMeasuredRatio }),
      ...(energyMeasuredRatio === undefined ? {} : { energyMeasuredRatio }),
      ...(clockMaxSkewMs === undefined ? {} : { clockMaxSkewMs }),
    },
    machines: { secondsByState: seconds.byState, downtimeByReason: downtimeOf(figures) },
    production: { output, kpi: { ...seconds.kpi, failureEvents: figures.parts.failureEvents } },
    energy,
    quality: {
      flags: [
        ...flagAt('/machines/secondsByState', figures.flag),
        ...flags,
        ...figures.energy.flatMap(({ flag }, index) => flagAt(`/energy/${index}/quantity`, flag)),
      ],
    },
    lineage: { agent: plant.agent, sourceHash: edition.sourceHash },
  };
}

/** A revision that takes the report back: no machines, no output, no energy. */
export function buildWithdrawal(
  period: Period,
  plant: PlantIdentity,
  edition: { readonly reportId: string; readonly issuedAtMs: number; readonly follows: Omit<Follows, 'reason'> },
): ReportContent {
  return {
    ...headOf(period, plant, { ...edition, follows: { ...edition.follows, reason: 'withdrawal' } }),
    status: 'withdrawn',
    coverage: { machinesTotal: 0, machinesInstrumented: 0, secondsExpected: 0, secondsObserved: 0 },
    machines: {
      secondsByState: { running: 0, setup: 0, idle: 0, fault: 0, maintenance: 0, stopped: 0, notScheduled: 0, unknown: 0 },
    },
    production: { output: [] },
    energy: [],
    quality: { flags: [] },
    lineage: { agent: plant.agent },
  };
}

function headOf(period: Period, plant: PlantIdentity, edition: Pick<Edition, 'reportId' | 'issuedAtMs' | 'follows'>) {
  const { follows } = edition;
  return {
    contract: contractName,
    contractVersion,
    reportId: edition.reportId,
    revision: (follows?.revision ?? 0) + 1,
    ...(follows === undefined
      ? {}
      : { supersedes: { reportId: follows.reportId, digest: follows.digest }, revisionReason: follows.reason }),
    issuedAt: issuedText(edition.issuedAtMs),
    reporter: plant.reporter,
    activity: plant.activity,
    period,
  } as const;
}

/** To the second, cut: a report must not be issued after it was made. */
function issuedText(atMs: number): string {
  const seconds = new Date(atMs).toISOString().slice(17, 19);
  return localTime(atMs).replace(':00+07:00', `:${seconds}+07:00`);
}

function downtimeOf({ downtime }: SiteFigures): NonNullable<ReportContent['machines']['downtimeByReason']> {
  return downtime.map(({ reason, ms, events }) => ({ reason, seconds: Math.floor((ms + 500) / 1000), events }));
}

function outputOf(figures: SiteFigures, products: ProductCodes, kpi: Pick<Kpi, 'idealSeconds' | 'idealSecondsGood'>) {
  const rows = productRows(figures.output, products);
  const ideal = sharesOf(
    rows.map(({ idealMs }) => idealMs),
    figures.parts.idealMs,
    kpi.idealSeconds,
  );
  const idealGood = sharesOf(
    rows.map(({ idealGoodMs }) => idealGoodMs),
    figures.parts.idealGoodMs,
    kpi.idealSecondsGood,
  );
  const output = rows.map((row, index): Output => {
    const [seconds, good] = [ideal?.[index], idealGood?.[index]];
    return {
      productScheme: row.scheme,
      productCode: row.code,
      unit: row.unit,
      produced: decimalOf(row.produced),
      good: decimalOf(row.good),
      ...(row.scrap === undefined ? {} : { scrap: decimalOf(row.scrap) }),
      ...(row.rework === undefined ? {} : { rework: decimalOf(row.rework) }),
      ...(seconds === undefined ? {} : { idealSeconds: seconds }),
      ...(good === undefined ? {} : { idealSecondsGood: good }),
      ...(row.ratedCapacity === undefined ? {} : { ratedCapacity: decimalOf(row.ratedCapacity) }),
      origin: row.origin,
    };
  });
  return { output, flags: rows.flatMap(({ flag }, index) => flagAt(`/production/output/${index}/produced`, flag)) };
}

/** Seconds by product that add up to the total; none where products do not explain the total. */
function sharesOf(timesMs: readonly (number | undefined)[], totalMs: number, total: number): readonly number[] | undefined {
  const known = timesMs.filter((ms) => ms !== undefined);
  const sum = known.reduce((all, ms) => all + ms, 0);
  return known.length < timesMs.length || Math.abs(sum - totalMs) >= 1 ? undefined : shareSeconds(known, total);
}

function energyRow({ carrier, unit, quantity, exported, origin }: EnergyFigures): Energy {
  return { carrier, unit, quantity, ...(exported === undefined ? {} : { exported }), origin };
}

function flagAt(path: string, flag: FigureFlag | undefined): QualityFlag[] {
  if (flag === undefined) return [];
  return [{ path, obsStatus: flag.obsStatus, ...(flag.note === undefined ? {} : { note: flag.note }) }];
}
