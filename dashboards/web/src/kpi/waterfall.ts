import type { DowntimeReasonView, DowntimeStop, KpiRow } from '@nhip/core/kpi/answers';
import type { Tone } from '../state/look.ts';

/**
 * Where planned time went, from the calendar down to effective time. A `total` is what is left; a `loss` is taken off the end of what was
 * left before, a `gain` put behind it. The losses between two totals are exactly their difference.
 */
export type WaterfallName =
  | 'planned'
  | 'noData'
  | 'plannedStops'
  | 'busy'
  | 'reason'
  | 'microStops'
  | 'otherStops'
  | 'running'
  | 'speed'
  | 'faster'
  | 'quality'
  | 'moreGood'
  | 'effective';

export interface WaterfallStep {
  readonly name: WaterfallName;
  readonly kind: 'total' | 'loss' | 'gain';
  /** Standard reason code, of `reason`. */
  readonly code: string | null;
  readonly startMs: number;
  readonly ms: number;
  /** Of planned busy time; null: outside it, or there is none. */
  readonly share: number | null;
  readonly tone: Tone;
}

type Reasons = readonly Pick<DowntimeReasonView, 'code' | 'kind'>[];
type Row = Pick<KpiRow, 'parts' | 'figures' | 'downtime'>;

const setupCode = 'setup_changeover';
export const unexplainedCode = 'unexplained';

/**
 * @param noData stops in the period that are time without data and have a reason: their time is none of busy time, though it is
 * counted under that reason. Cut to the period by the caller.
 */
export function waterfall(
  { parts, figures, downtime }: Row,
  reasons: Reasons,
  noData: ReadonlyMap<string, number>,
): readonly WaterfallStep[] {
  const steps: WaterfallStep[] = [];
  let left = parts.potMs;
  let isBusy = false;
  const share = (ms: number): number | null => (isBusy && parts.pbtMs > 0 ? ms / parts.pbtMs : null);
  const total = (name: WaterfallName, ms: number, tone: Tone): void => {
    left = ms;
    steps.push({ name, kind: 'total', code: null, startMs: 0, ms, share: share(ms), tone });
  };
  const loss = (name: WaterfallName, ms: number, tone: Tone, code: string | null = null): void => {
    if (ms <= 0) return;
    left -= ms;
    steps.push({ name, kind: 'loss', code, startMs: left, ms, share: share(ms), tone });
  };
  const gain = (name: WaterfallName, ms: number): void => {
    if (ms <= 0) return;
    steps.push({ name, kind: 'gain', code: null, startMs: left, ms, share: share(ms), tone: 'wait' });
    left += ms;
  };

  total('planned', parts.potMs, 'off');
  loss('noData', parts.unknownPlannedMs, 'off');
  loss('plannedStops', parts.plannedStopMs + parts.plannedMaintenanceMs, 'plan');
  isBusy = true;
  total('busy', parts.pbtMs, 'off');
  for (const { name, code, ms } of stopLosses(parts, downtime, reasons, noData)) loss(name, ms, toneOfLoss(name, code), code);
  total('running', parts.aptMs, 'run');
  if (figures.oee === null) return steps;
  const slowMs = parts.aptMs - parts.idealMs;
  loss('speed', slowMs, 'wait');
  gain('faster', -slowMs);
  const scrapMs = parts.idealMs - parts.idealGoodMs;
  loss('quality', scrapMs, 'down');
  gain('moreGood', -scrapMs);
  total('effective', parts.idealGoodMs, 'run');
  return steps;
}

interface StopLoss {
  readonly name: 'reason' | 'microStops' | 'otherStops';
  readonly code: string | null;
  readonly ms: number;
}

/** Stop time within busy time by reason, largest first; what no reason covers comes last. */
function stopLosses(
  parts: Row['parts'],
  downtime: Row['downtime'],
  reasons: Reasons,
  noData: ReadonlyMap<string, number>,
): readonly StopLoss[] {
  const kinds = new Map(reasons.map(({ code, kind }) => [code, kind]));
  const lostMs = parts.pbtMs - parts.aptMs;
  const losses: StopLoss[] = [];
  for (const [code, { ms }] of Object.entries(downtime)) {
    if (kinds.get(code) === 'planned' && code !== setupCode) continue;
    const inBusyMs = ms - (noData.get(code) ?? 0);
    if (code !== unexplainedCode) {
      losses.push({ name: 'reason', code, ms: inBusyMs });
      continue;
    }
    // Micro-stops need no reason, so most of them have none.
    const microMs = Math.min(Math.max(0, inBusyMs - parts.unexplainedMs), parts.microStopMs);
    losses.push({ name: 'microStops', code: null, ms: microMs }, { name: 'reason', code, ms: inBusyMs - microMs });
  }
  losses.sort((a, b) => b.ms - a.ms);
  let openMs = lostMs;
  const fitting = losses.map((loss) => {
    const ms = Math.min(loss.ms, openMs);
    openMs -= Math.max(0, ms);
    return { ...loss, ms };
  });
  return [...fitting, { name: 'otherStops', code: null, ms: openMs }];
}

function toneOfLoss(name: WaterfallName, code: string | null): Tone {
  if (code === setupCode) return 'plan';
  return code === 'breakdown' ? 'down' : name === 'microStops' ? 'off' : 'wait';
}

/** Time without data that somebody gave a reason, by that reason, within the period. */
export function explainedNoData(
  stops: readonly DowntimeStop[],
  period: { readonly from: number; readonly knownTo: number },
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { state, reason, reasonCode, from, to } of stops) {
    if (state !== 'unknown' || reason === null) continue;
    const ms = Math.min(to ?? period.knownTo, period.knownTo) - Math.max(from, period.from);
    if (ms > 0) sums.set(reasonCode, (sums.get(reasonCode) ?? 0) + ms);
  }
  return sums;
}
