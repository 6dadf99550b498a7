import fc from 'fast-check';
import { decimalText } from '../decimal.ts';
import { machineStates, type Output, type ReportContent } from '../report.ts';
import { exampleContent } from './example-report.ts';

/** Sound reports of any size, for property tests: every invariant holds, every optional field comes and goes. */
export const randomContent: fc.Arbitrary<ReportContent> = fc
  .record({
    machines: fc.integer({ min: 1, max: 900 }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 }),
    rows: fc.array(randomRow(), { maxLength: 6 }),
    hasKpi: fc.boolean(),
    electricity: fc.bigInt({ min: 0n, max: 10n ** 15n }),
    hasFlags: fc.boolean(),
  })
  .map(({ machines, cuts, rows, hasKpi, electricity, hasFlags }) => {
    const secondsExpected = machines * 86_400;
    const marks = [0, ...cuts.map((cut) => Math.floor(cut * secondsExpected)).sort((a, b) => a - b), secondsExpected];
    const seconds = machineStates.map((state, index) => [state, (marks[index + 1] ?? 0) - (marks[index] ?? 0)] as const);
    const states = Object.fromEntries(seconds) as ReportContent['machines']['secondsByState'];
    const pbtSeconds = secondsExpected - states.unknown - states.notScheduled - states.maintenance;
    const sum = (key: 'idealSeconds' | 'idealSecondsGood'): number => rows.reduce((total, row) => total + (row[key] ?? 0), 0);
    const kpi = {
      pbtSeconds,
      aptSeconds: states.running,
      auptSeconds: states.running + states.setup,
      idealSeconds: sum('idealSeconds'),
      idealSecondsGood: sum('idealSecondsGood'),
    };
    const flags = [
      { path: '/energy/0/quantity', obsStatus: 'E', note: 'meter_gap' },
      ...(rows.length === 0 ? [] : [{ path: '/production/output/0/good', obsStatus: 'E' }]),
    ] as const;
    return {
      ...exampleContent,
      reporter: { ...exampleContent.reporter, communeCode: '26734' },
      coverage: {
        machinesTotal: machines + 3,
        machinesInstrumented: machines,
        secondsExpected,
        secondsObserved: secondsExpected - states.unknown,
      },
      machines: { secondsByState: states, downtimeByReason: [{ reason: 'grid_outage', seconds: states.stopped, events: 3 }] },
      production: { output: rows, ...(hasKpi ? { kpi } : {}) },
      energy: [{ carrier: 'electricity_grid', unit: 'KWH', quantity: decimalText(electricity), exported: '12.5', origin: 'measured' }],
      quality: { flags: hasFlags ? [...flags] : [] },
    } satisfies ReportContent;
  });

function randomRow(): fc.Arbitrary<Output> {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 12n });
  const code = fc.constantFrom('1410001', '1410002', '1420001', '1511010');
  return fc
    .tuple(amount, amount, amount, code, fc.nat(5_000_000), fc.nat(5_000_000))
    .map(([good, scrap, rework, productCode, ideal, more]) => ({
      productScheme: 'VCPA2018',
      productCode,
      unit: 'H87',
      produced: decimalText(good + scrap + rework),
      good: decimalText(good),
      scrap: decimalText(scrap),
      rework: decimalText(rework),
      idealSeconds: ideal + more,
      idealSecondsGood: ideal,
      ratedCapacity: '12345.678',
      origin: 'measured',
    }));
}
