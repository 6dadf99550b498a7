import { type BoundsOf, boundsIn, canBeEqual, differenceOf, mustExceed, sumOf } from './bounds.ts';
import { millionths } from './decimal.ts';
import { type Finding, finding } from './finding.ts';
import { periodSeconds } from './period.ts';
import { machineStates, type ReportContent } from './report.ts';

/** What must be true in every report and what is merely odd: E101–E106 and W202–W205. The report fits the schema. */
export function checkInvariants(report: ReportContent): Finding[] {
  const bounds = boundsIn(report);
  return [...checkSeconds(report, bounds), ...checkOutput(report, bounds), ...checkKpi(report, bounds), ...checkOddities(report)];
}

function checkSeconds({ coverage, machines, period }: ReportContent, bounds: BoundsOf): Finding[] {
  const found: Finding[] = [];
  const states = machines.secondsByState;
  const expected = bounds('/coverage/secondsExpected', coverage.secondsExpected);
  const observed = bounds('/coverage/secondsObserved', coverage.secondsObserved);
  const instrumented = bounds('/coverage/machinesInstrumented', coverage.machinesInstrumented);
  const sum = sumOf(machineStates.map((state) => bounds(`/machines/secondsByState/${state}`, states[state])));
  if (!canBeEqual(sum, expected)) {
    const total = machineStates.reduce((seconds, state) => seconds + states[state], 0);
    found.push(
      finding('E101', '/machines/secondsByState', {
        vi: `Tổng thời gian theo trạng thái là ${total} s, kỳ vọng ${coverage.secondsExpected} s`,
        en: `The states add up to ${total} s, expected are ${coverage.secondsExpected} s`,
      }),
    );
  }
  const unknown = bounds('/machines/secondsByState/unknown', states.unknown);
  if (!canBeEqual(unknown, differenceOf(expected, observed))) {
    const missing = coverage.secondsExpected - coverage.secondsObserved;
    found.push(
      finding('E102', '/machines/secondsByState/unknown', {
        vi: `Không có dữ liệu ${states.unknown} s, nhưng kỳ vọng trừ đã quan sát là ${missing} s`,
        en: `Unknown are ${states.unknown} s, but expected minus observed is ${missing} s`,
      }),
    );
  }
  const seconds = BigInt(periodSeconds(period));
  if (!canBeEqual(expected, { low: instrumented.low * seconds, high: instrumented.high * seconds })) {
    found.push(
      finding('E103', '/coverage/secondsExpected', {
        vi: `Kỳ vọng ${coverage.secondsExpected} s, nhưng ${coverage.machinesInstrumented} máy × ${seconds} s là số khác`,
        en: `Expected are ${coverage.secondsExpected} s, which is not ${coverage.machinesInstrumented} machines × ${seconds} s`,
      }),
    );
  }
  return found;
}

function checkOutput({ production }: ReportContent, bounds: BoundsOf): Finding[] {
  return production.output.flatMap((output, index) => {
    const at = `/production/output/${index}`;
    const parts = (['good', 'scrap', 'rework'] as const).map((key) => bounds(`${at}/${key}`, output[key] ?? '0'));
    if (!mustExceed(sumOf(parts), bounds(`${at}/produced`, output.produced))) return [];
    const { good, scrap = '0', rework = '0', produced } = output;
    return [
      finding('E104', at, {
        vi: `Đạt ${good} + phế phẩm ${scrap} + sửa lại ${rework} nhiều hơn sản lượng ${produced}`,
        en: `Good ${good} + scrap ${scrap} + rework ${rework} exceed ${produced} produced`,
      }),
    ];
  });
}

function checkKpi({ production, coverage, machines }: ReportContent, bounds: BoundsOf): Finding[] {
  const { kpi, output } = production;
  if (kpi === undefined) return [];
  const found: Finding[] = [];
  const at = (key: string): string => `/production/kpi/${key}`;
  const pbt = bounds(at('pbtSeconds'), kpi.pbtSeconds);
  const apt = bounds(at('aptSeconds'), kpi.aptSeconds);
  if (mustExceed(apt, pbt)) {
    found.push(
      finding('E105', at('aptSeconds'), {
        vi: `Thời gian sản xuất thực ${kpi.aptSeconds} s dài hơn thời gian kế hoạch ${kpi.pbtSeconds} s`,
        en: `Actual production time ${kpi.aptSeconds} s exceeds planned busy time ${kpi.pbtSeconds} s`,
      }),
    );
  }
  if (kpi.auptSeconds !== undefined && mustExceed(apt, bounds(at('auptSeconds'), kpi.auptSeconds))) {
    found.push(
      finding('E105', at('auptSeconds'), {
        vi: `Thời gian sản xuất thực ${kpi.aptSeconds} s dài hơn thời gian xử lý ${kpi.auptSeconds} s`,
        en: `Actual production time ${kpi.aptSeconds} s exceeds actual unit processing time ${kpi.auptSeconds} s`,
      }),
    );
  }
  // Planned busy time has neither unscheduled nor unknown seconds in it.
  const idle = bounds('/machines/secondsByState/notScheduled', machines.secondsByState.notScheduled);
  if (mustExceed(sumOf([pbt, idle]), bounds('/coverage/secondsObserved', coverage.secondsObserved))) {
    found.push(
      finding('E105', at('pbtSeconds'), {
        vi: `Thời gian kế hoạch ${kpi.pbtSeconds} s và thời gian nghỉ theo lịch dài hơn thời gian đã quan sát`,
        en: `Planned busy time ${kpi.pbtSeconds} s and unscheduled time exceed the seconds observed`,
      }),
    );
  }
  for (const key of ['idealSeconds', 'idealSecondsGood'] as const) {
    // The sum says something only where every product carries its part; output that the policy withholds carries none.
    if (output.length === 0 || output.some((each) => each[key] === undefined)) continue;
    const sum = sumOf(output.map((each, index) => bounds(`/production/output/${index}/${key}`, each[key] ?? 0)));
    if (canBeEqual(sum, bounds(at(key), kpi[key]))) continue;
    const total = output.reduce((seconds, each) => seconds + (each[key] ?? 0), 0);
    found.push(
      finding('E106', at(key), {
        vi: `Cộng theo sản phẩm được ${total} s, số tổng là ${kpi[key]} s`,
        en: `The products add up to ${total} s, the total says ${kpi[key]} s`,
      }),
    );
  }
  if (mustExceed(bounds(at('idealSecondsGood'), kpi.idealSecondsGood), bounds(at('idealSeconds'), kpi.idealSeconds))) {
    found.push(
      finding('E106', at('idealSecondsGood'), {
        vi: 'Thời gian chuẩn của sản phẩm đạt dài hơn của mọi sản phẩm',
        en: 'Ideal seconds of good pieces exceed those of all pieces',
      }),
    );
  }
  return found;
}

function checkOddities({ coverage, machines, production, energy }: ReportContent): Finding[] {
  const found: Finding[] = [];
  const { running } = machines.secondsByState;
  const { output, kpi } = production;
  // A plant without sensors declares its output: that is honest, not odd.
  if (coverage.machinesInstrumented > 0 && running === 0 && output.some(({ produced }) => millionths(produced) > 0n)) {
    found.push(finding('W202', '/production/output'));
  }
  if (kpi !== undefined && kpi.aptSeconds > 0 && kpi.idealSeconds * 5 > kpi.aptSeconds * 6)
    found.push(finding('W203', '/production/kpi/idealSeconds'));
  if (running > 0 && energy.length > 0 && energy.every(({ quantity }) => millionths(quantity) === 0n))
    found.push(finding('W204', '/energy'));
  if (coverage.secondsObserved * 5 < coverage.secondsExpected * 3) found.push(finding('W205', '/coverage/secondsObserved'));
  return found;
}
