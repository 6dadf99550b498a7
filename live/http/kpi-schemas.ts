import { scopeKinds } from '@nhip/core/kpi/answers';
import { periodKinds } from '@nhip/core/kpi/periods';
import { machineStates } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';

/** Shapes of the answers about figures; they mirror `core/kpi`. */

const ms = (words: string) => z.number().describe(`${words}, ms`);
const count = (words: string) => z.number().describe(words);
const ratio = (words: string) => z.number().nullable().describe(`${words}; 1 is 100 %, null: nothing to divide by, or not known`);

export const localName = z.strictObject({ vi: z.string().describe('Vietnamese'), en: z.string().describe('English') });

const statesMs = z.strictObject(
  Object.fromEntries(machineStates.map((state) => [state, ms(`Time in ${state}`)])) as Record<(typeof machineStates)[number], z.ZodNumber>,
);

export const kpiParts = z
  .strictObject({
    statesMs: statesMs.describe('Time by state, after calendar and corrections; the sum is machines × period'),
    potMs: ms('Planned operation time (POT)'),
    pbtMs: ms('Planned busy time (PBT): APT + set-up + ADET + ADOT'),
    aptMs: ms('Actual production time (APT)'),
    setupMs: ms('Actual unit set-up time (AUST)'),
    auptMs: ms('Actual unit processing time (AUPT): APT + set-up'),
    adetMs: ms('Actual unit delay time (ADET): failures, micro-stops, stops with an unplanned reason'),
    adotMs: ms('Actual unit down time (ADOT): other idle and stopped time'),
    plannedStopMs: ms('Planned downtime other than maintenance: outside PBT'),
    plannedMaintenanceMs: ms('Planned maintenance time (PMT): outside PBT'),
    correctiveMaintenanceMs: ms('Corrective maintenance time (CMT): of which ADET'),
    unknownPlannedMs: ms('Time without data in planned operation time: outside PBT'),
    microStops: count('Interruptions shorter than the threshold'),
    microStopMs: ms('Their time: of which ADET'),
    unexplainedStops: count('Stops that nobody gave a reason for, without micro-stops'),
    unexplainedMs: ms('Their time'),
    failureEvents: count('Failures that began in the period (FE)'),
    ttrMs: ms('Time of failures and repairs in planned time: of which ADET'),
    tbfMs: ms('Operating time between failures'),
    produced: count('Produced quantity (PQ)'),
    good: count('Good quantity (GQ)'),
    scrap: count('Scrap quantity (SQ)'),
    rework: count('Rework quantity (RQ)'),
    idealMs: ms('Σ ideal cycle time × produced'),
    idealGoodMs: ms('Σ ideal cycle time × good'),
    producedWithoutIdeal: count('Produced while no ideal cycle time was known: of which PQ'),
    uncountedMs: ms('Production time of machines that count no pieces: of which APT'),
    energyWh: z.number().nullable().describe('Energy, Wh; null: nothing was metered'),
  })
  .meta({ id: 'KpiParts' });

export const kpiFigures = z
  .strictObject({
    availability: ratio('APT / PBT'),
    effectiveness: ratio('Σ ideal × produced / APT; above 1 it is shown as it is and flagged'),
    quality: ratio('Σ ideal × good / Σ ideal × produced'),
    oee: ratio('Σ ideal × good / PBT'),
    nee: ratio('AUPT / PBT × effectiveness × quality'),
    technicalEfficiency: ratio('APT / (APT + ADET)'),
    setupRatio: ratio('Set-up / AUPT'),
    correctiveMaintenanceRatio: ratio('CMT / (CMT + PMT)'),
    scrapRatio: ratio('SQ / PQ'),
    reworkRatio: ratio('RQ / PQ'),
    throughputPerHour: z.number().nullable().describe('PQ per hour of planned busy time'),
    mtbfMs: z.number().nullable().describe('Mean operating time between failures, ms'),
    mttrMs: z.number().nullable().describe('Mean time to repair, ms'),
    energyPerPieceWh: z.number().nullable().describe('Energy per produced piece, Wh'),
    coverage: ratio('Known time / machines × period'),
    plannedCoverage: ratio('Known time / planned operation time: what the figures rest on'),
    flags: z
      .array(z.enum(['effectivenessAbove1', 'qualityAbove1', 'noIdealCycle', 'notCounted', 'lowCoverage']))
      .describe('What a reader must know about these figures'),
  })
  .meta({ id: 'KpiFigures' });

export const kpiScope = z.strictObject({
  kind: z.enum(scopeKinds).describe('What the figures are of'),
  id: z.string().describe('Line or machine; `site` of the site'),
  name: localName.describe('Its name'),
});

export const kpiPeriod = z.strictObject({
  from: z.number().describe('Start'),
  to: z.number().describe('End, not included; of a period that still runs in the future'),
  knownTo: z.number().describe('The figures hold what happened up to here'),
  kind: z.enum([...periodKinds, 'range']).describe('`range`: what was asked, as a whole'),
  date: z.string().describe('Local date on which it starts, YYYY-MM-DD'),
  shift: z.string().optional().describe('Id of the shift'),
});

export const kpiRow = z
  .strictObject({
    scope: kpiScope,
    period: kpiPeriod,
    parts: kpiParts.describe('Sums: rows of other periods or scopes may be added, and figures made from the sum'),
    figures: kpiFigures.describe('Ratios of these parts'),
    downtime: z
      .record(z.string(), z.strictObject({ ms: ms('Stop time'), events: count('Stops that began in the period') }))
      .describe('Stop time by standard reason code (see /downtime-reasons)'),
    products: z
      .array(
        z.strictObject({
          product: z.string().nullable().describe('As the machine said it; null: it said none'),
          produced: count('PQ'),
          good: count('GQ'),
          scrap: count('SQ'),
          rework: count('RQ'),
          idealMs: ms('Σ ideal cycle time × produced'),
          idealGoodMs: ms('Σ ideal cycle time × good'),
          producedWithoutIdeal: count('Produced while no ideal cycle time was known'),
        }),
      )
      .describe('Pieces by product'),
    machines: z
      .strictObject({ total: count('Machines of the scope, without meters'), instrumented: count('Those that tell their state') })
      .describe('How many machines the figures are of'),
    revision: z
      .number()
      .describe(
        '1, and one more for every time that a stored part of the row was restated because of late data, a correction or the plant model',
      ),
    fingerprint: z.string().describe('Changes when a figure changes: 16 hex digits'),
    isOpen: z.boolean().describe('The period still runs, or data of it may still be on its way'),
    computedMs: z.number().describe('When its oldest part was computed'),
  })
  .meta({ id: 'KpiRow' });
