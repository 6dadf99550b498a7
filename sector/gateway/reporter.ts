import { RetryableError, reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { Duration, Period } from '../contract/report.ts';
import { contractName } from '../contract/report.ts';
import type { Alarms } from './alarms.ts';
import type { GatewayConfig } from './config.ts';
import { oldestMerge } from './disk-cap.ts';
import { moved } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { PolicyVersion } from './policy-store.ts';
import { recheckAfterMs } from './recheck.ts';
import { closedPeriods, type ReportLine } from './report-line.ts';
import { viewOf } from './series-rules.ts';

export interface ReporterDeps {
  readonly outbox: Outbox;
  readonly line: ReportLine;
  readonly config: GatewayConfig;
  readonly alarms: Alarms;
  readonly log: Log;
  now(): number;
}

const dayMs = 86_400_000;
const lengthOrder: readonly Duration[] = ['PT1H', 'P1D', 'P1W', 'P1M'];
const rescanMs = 300_000;
/** Periods of one stream that a pass makes at most, so that stopping is quick. */
const maxPerPass = 100;

/**
 * Goes through the closed periods of every recipient: those that it has not had, in order, and those whose figures may have changed.
 * How far it has come (`cursor/<recipient>/<duration>`) is committed with the report, so no period is skipped or made twice.
 */
export function createReporter({ outbox, line, config, alarms, log, now }: ReporterDeps) {
  /** When a period is looked at again, ms UTC; a restart looks at all of them anew. */
  const checks = new Map<string, number>();
  /** When the checks of a stream are gone through again, ms UTC. */
  const scans = new Map<string, number>();

  const cursorKey = (recipient: string, duration: Duration): string => `cursor/${recipient}/${duration}`;

  /** How far the stream has come; where it begins is kept too, so that it does not move on with the clock. */
  async function reachedMs(recipient: string, duration: Duration, version: PolicyVersion): Promise<number> {
    const key = cursorKey(recipient, duration);
    const cursor = outbox.journal.get(key);
    if (typeof cursor === 'number') return cursor;
    const beginMs = Math.max(now() - config.backfillDays * dayMs, Date.parse(version.policy.validFrom), sinceMs(recipient));
    await outbox.change(() => ({ entries: [[key, beginMs]] }));
    return beginMs;
  }

  /** When sharing was taken up again; 0: it was never interrupted. */
  function sinceMs(recipient: string): number {
    const since = outbox.journal.get(`since/${recipient}`);
    return typeof since === 'number' ? since : 0;
  }

  /** What happened while it was not shared is not told afterwards: the streams begin again when it is shared again. */
  async function interrupt(recipient: string): Promise<void> {
    const cursors = outbox.journal.entries(`cursor/${recipient}/`).map(([key]) => [key, undefined] as const);
    if (cursors.length > 0) await outbox.change(() => ({ entries: [...cursors, [`interrupted/${recipient}`, true]] }));
  }

  async function resume(recipient: string): Promise<void> {
    const key = `interrupted/${recipient}`;
    if (outbox.journal.get(key) === undefined) return;
    await outbox.change(() => ({
      entries: [
        [key, undefined],
        [`since/${recipient}`, now()],
      ],
    }));
  }

  function durations(recipient: string, version: PolicyVersion): readonly Duration[] {
    const products = version.policy.recipients.find(({ id }) => id === recipient)?.products ?? [];
    const least = products.find(({ contract }) => contract === contractName)?.minPeriod ?? 'PT1H';
    return (config.recipients[recipient]?.periods ?? []).filter((each) => lengthOrder.indexOf(each) >= lengthOrder.indexOf(least));
  }

  /** False: the figures cannot be had, and nothing more is tried in this pass. */
  async function look(recipient: string, period: Period, cursor?: readonly [string, number]): Promise<boolean> {
    const checkKey = `${recipient} ${period.duration} ${period.from}`;
    try {
      await line.consider(recipient, period, cursor === undefined ? {} : { entries: [cursor] });
      alarms.clear('figures_unavailable');
    } catch (error) {
      if (error instanceof RetryableError) {
        alarms.raise('figures_unavailable', {
          vi: `Chưa lấy được số liệu: ${reasonOf(error)}`,
          en: `Figures cannot be had: ${reasonOf(error)}`,
        });
        return false;
      }
      if (!(error instanceof RangeError)) throw error;
      // It is looked at again like every closed period; the stream goes on.
      log.error({ err: error, period: period.from, duration: period.duration }, 'The figures of a period make no report');
      const where = `${period.from} ${period.duration}`;
      alarms.raise('figures_unsound', {
        vi: `Số liệu kỳ ${where} có lỗi: ${error.message}`,
        en: `Figures of ${where} make no report: ${error.message}`,
      });
      if (cursor !== undefined) await outbox.change(() => ({ entries: [cursor] }));
    }
    checks.set(checkKey, now() + recheckAfterMs(now() - Date.parse(period.to)));
    return true;
  }

  /** Makes room by merging hours into days. False: there is none. */
  async function hasRoom(): Promise<boolean> {
    while (outbox.waitingBytes() > config.maxQueueBytes) {
      const merge = oldestMerge(outbox.waiting(), config.dayStart, now() - config.settleMinutes * 60_000);
      if (merge === undefined || !(await mergeHours(merge))) {
        const vi = 'Hàng đợi gửi đã đầy: tạm dừng lập báo cáo mới; số liệu vẫn lưu tại nhà máy và sẽ được báo cáo sau';
        alarms.raise('outbox_full', {
          vi,
          en: 'The outbox is full: no new reports are made; the figures stay in the plant and are reported later',
        });
        return false;
      }
    }
    alarms.clear('outbox_full');
    return true;
  }

  async function mergeHours({ recipient, day, hours }: NonNullable<ReturnType<typeof oldestMerge>>): Promise<boolean> {
    const made = await line.consider(recipient, day, { instead: hours });
    if (made !== undefined) return made.state === 'held';
    // The day has its report already: the hours say nothing more.
    const key = hours[0]?.seriesKey.replace(/\/[^/]+\/PT1H\//, `/${day.from}/P1D/`) ?? '';
    const view = viewOf(outbox.series(recipient, key));
    const dayItem = view.open ?? view.base;
    if (dayItem === undefined) return false;
    const reason = { vi: 'Báo cáo ngày đã có số liệu của giờ này', en: 'The report of the day has this hour' };
    await outbox.change(() => ({
      items: hours.flatMap(({ id }) => {
        const hour = outbox.find(id);
        if (hour?.state !== 'held' && hour?.state !== 'approved') return [];
        return [{ ...moved(hour, 'superseded', { atMs: now(), by: 'gateway', reason }), mergedInto: dayItem.id }];
      }),
    }));
    return true;
  }

  async function stream(recipient: string, duration: Duration, version: PolicyVersion, signal: AbortSignal): Promise<boolean> {
    const untilMs = now() - config.settleMinutes * 60_000;
    const fromMs = await reachedMs(recipient, duration, version);
    for (const period of closedPeriods(duration, config.dayStart, fromMs, untilMs, maxPerPass)) {
      if (signal.aborted || !(await hasRoom())) return true;
      if (!(await look(recipient, period, [cursorKey(recipient, duration), Date.parse(period.to)]))) return false;
    }
    const reached = await reachedMs(recipient, duration, version);
    return (scans.get(cursorKey(recipient, duration)) ?? 0) > now() || rescan(recipient, duration, reached, signal);
  }

  /** Looks again at closed periods whose time has come. False: the figures cannot be had. */
  async function rescan(recipient: string, duration: Duration, reached: number, signal: AbortSignal): Promise<boolean> {
    const firstKnown = outbox.items().find((item) => item.recipient === recipient && item.duration === duration)?.fromMs ?? reached;
    const oldest = Math.max(now() - config.revisableDays * dayMs, Math.min(firstKnown, reached), sinceMs(recipient));
    const periods = closedPeriods(duration, config.dayStart, oldest, reached, Number.POSITIVE_INFINITY);
    const due = periods.filter(({ from }) => (checks.get(`${recipient} ${duration} ${from}`) ?? 0) <= now());
    for (const period of due.slice(0, maxPerPass)) {
      if (signal.aborted) return true;
      if (!(await look(recipient, period))) return false;
    }
    if (due.length <= maxPerPass) scans.set(cursorKey(recipient, duration), now() + rescanMs);
    return true;
  }

  /**
   * Days that stand for hours, where days are not reported otherwise: their late data are told too. False: the figures cannot be had.
   */
  async function mergedDays(recipient: string, signal: AbortSignal): Promise<boolean> {
    const oldest = Math.max(now() - config.revisableDays * dayMs, sinceMs(recipient));
    const days = outbox.items().filter((item) => item.recipient === recipient && item.duration === 'P1D' && item.fromMs >= oldest);
    const periods = new Map(days.map((item) => [item.fromMs, line.periodOf(item)]));
    for (const period of periods.values()) {
      if (signal.aborted) return true;
      if ((checks.get(`${recipient} P1D ${period.from}`) ?? 0) <= now() && !(await look(recipient, period))) return false;
    }
    return true;
  }

  return {
    async pass(signal: AbortSignal): Promise<void> {
      for (const recipient of Object.keys(config.recipients)) {
        const version = line.versionFor(recipient);
        if (version === undefined) {
          await interrupt(recipient);
          continue;
        }
        await resume(recipient);
        const wanted = durations(recipient, version);
        for (const duration of wanted) {
          if (signal.aborted || !(await stream(recipient, duration, version, signal))) return;
        }
        if (!wanted.includes('P1D') && !(await mergedDays(recipient, signal))) return;
      }
      for (const [key, dueMs] of checks) if (dueMs < now() - dayMs) checks.delete(key);
    },
  };
}
