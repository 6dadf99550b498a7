import { periodAt } from '../contract/period.ts';
import { activeProduct } from '../contract/policy.ts';
import { contractName, type Duration, type Period, seriesKeyOf } from '../contract/report.ts';
import { buildReport, buildWithdrawal, type PlantIdentity } from './build-report.ts';
import { figuresDigest, type PlantFigures, type SiteFigures, sourceHashOf } from './figures.ts';
import { type MakerDeps, makeReport, writeFiles } from './make-report.ts';
import { moved, type OutboxItem } from './outbox/item.ts';
import type { OutboxChange } from './outbox/outbox.ts';
import type { PolicyStore, PolicyVersion } from './policy-store.ts';
import { isClosed, type SeriesView, viewOf, wishOf } from './series-rules.ts';
import { uuidV7 } from './uuid.ts';

export interface ReportLineDeps extends MakerDeps {
  readonly figures: PlantFigures;
  readonly policies: PolicyStore;
  readonly plant: PlantIdentity;
  readonly dayStart: string;
  readonly finalAfterMs: number;
}

/** Makes, or makes again, the report of one period to one recipient. */
export interface ReportLine {
  /** The version under which a recipient may have reports now; undefined: nothing leaves to it. */
  versionFor(recipient: string): PolicyVersion | undefined;
  /**
   * Looks at the figures of a closed period and holds a new revision when the recipient should learn something. `entries` are committed
   * with it. Rejects with RetryableError when the figures cannot be had.
   */
  consider(recipient: string, period: Period, options?: ConsiderOptions): Promise<OutboxItem | undefined>;
  /** Holds a revision that takes a sent report back. The caller has looked whether there is one. */
  withdraw(recipient: string, base: OutboxItem, by: string): Promise<OutboxItem | undefined>;
  periodOf(item: OutboxItem): Period;
  /** A day's report of the figures, unfiltered, for comparing policies. */
  sample(period: Period): Promise<ReturnType<typeof buildReport>>;
}

export interface ConsiderOptions {
  readonly entries?: OutboxChange['entries'];
  /** These end with the new report: the hours of a day. */
  readonly instead?: readonly OutboxItem[];
}

export function createReportLine(deps: ReportLineDeps): ReportLine {
  const { env, outbox, policies, plant, figures } = deps;
  const now = (): number => env.clock.now();

  function versionFor(recipient: string): PolicyVersion | undefined {
    const version = policies.inForce(now());
    if (version === undefined || policies.revocation(recipient, contractName, version) !== undefined) return undefined;
    return activeProduct(version.policy, recipient, contractName, now()).ok ? version : undefined;
  }

  const seriesKey = (period: Period): string => seriesKeyOf({ reporter: plant.reporter, period, contractVersion: '1' });
  const periodOf = ({ fromMs, duration }: OutboxItem): Period => periodAt(fromMs, duration, deps.dayStart);

  function draftOf(recipient: string, period: Period, site: SiteFigures, base: OutboxItem | undefined) {
    const salt = Buffer.from(env.random.bytes(32)).toString('hex');
    const issuedAtMs = now();
    const follows =
      base?.digest === undefined
        ? undefined
        : { revision: base.revision, reportId: base.id, digest: base.digest, reason: 'late_data' as const };
    const content = buildReport(site, period, plant, {
      reportId: uuidV7(env),
      issuedAtMs,
      status: issuedAtMs > Date.parse(period.to) + deps.finalAfterMs ? 'final' : 'provisional',
      ...(follows === undefined ? {} : { follows }),
      sourceHash: sourceHashOf(site, salt),
    });
    return { recipient, period, content, sourceDigest: figuresDigest(site), source: { salt, figures: site } };
  }

  return {
    versionFor,
    periodOf,
    async consider(recipient, period, { entries = [], instead = [] } = {}) {
      const site = await figures.site({ fromMs: Date.parse(period.from), toMs: Date.parse(period.to) });
      let made: OutboxItem | undefined;
      await outbox.change(async () => {
        const version = versionFor(recipient);
        const series = outbox.series(recipient, seriesKey(period));
        const view = viewOf(series);
        if (version === undefined || isClosed(view)) return { entries };
        const sourceDigest = figuresDigest(site);
        if (isKnown(view, sourceDigest, version)) return { entries };
        const report = makeReport(draftOf(recipient, period, site, view.base), version, deps);
        const wish = wishOf(view, { ...report.item, policyDigest: version.digest });
        if (wish === 'nothing') return { entries };
        const atMs = now();
        const replaced = series.filter(
          ({ state }) => state === 'held' || state === 'approved' || state === 'rejected' || state === 'expired',
        );
        const ended = replaced.map((item) => moved(item, 'superseded', { atMs, by: 'gateway', reason: reasons[wish] }));
        if (wish === 'drop-open') return { items: ended, entries };
        await writeFiles(outbox, report);
        // What a person holds stays held, also when figures or policy make it anew.
        const stoppedBy = view.last?.stoppedBy;
        const item = stoppedBy === undefined ? report.item : { ...report.item, stoppedBy };
        made = item;
        const merged = instead.flatMap(({ id }) => {
          // Meanwhile one may have been sealed: then it leaves by itself.
          const item = outbox.find(id);
          if (report.bytes === undefined || (item?.state !== 'held' && item?.state !== 'approved')) return [];
          return [{ ...moved(item, 'superseded', { atMs, by: 'gateway', reason: reasons.merged }), mergedInto: report.item.id }];
        });
        return { items: [...ended, ...merged, item], entries };
      });
      return made;
    },
    async withdraw(recipient, base, by) {
      let made: OutboxItem | undefined;
      await outbox.change(async () => {
        const version = versionFor(recipient);
        const series = outbox.series(recipient, base.seriesKey);
        const view = viewOf(series);
        if (version === undefined || view.base?.digest === undefined) return {};
        const period = periodOf(base);
        const follows = { revision: view.base.revision, reportId: view.base.id, digest: view.base.digest };
        const content = buildWithdrawal(period, plant, { reportId: uuidV7(env), issuedAtMs: now(), follows });
        const report = makeReport(
          { recipient, period, content, sourceDigest: view.base.sourceDigest, source: { withdrawnBy: by } },
          version,
          deps,
        );
        await writeFiles(outbox, report);
        made = report.item;
        const atMs = now();
        const ended = view.open === undefined ? [] : [moved(view.open, 'superseded', { atMs, by, reason: reasons['new-revision'] })];
        return { items: [...ended, report.item] };
      });
      return made;
    },
    async sample(period) {
      const site = await figures.site({ fromMs: Date.parse(period.from), toMs: Date.parse(period.to) });
      return draftOf('', period, site, undefined).content;
    },
  };
}

/** The same figures under the same policy as what is newest: nothing needs to be made to know that. */
function isKnown({ base, open, last }: SeriesView, sourceDigest: string, version: PolicyVersion): boolean {
  if (last?.isRetryAsked === true) return false;
  if (open !== undefined)
    return open.sourceDigest === sourceDigest && open.policyDigest === version.digest && base?.sourceDigest !== sourceDigest;
  return (
    base?.sourceDigest === sourceDigest ||
    (last?.sourceDigest === sourceDigest && last.state === 'rejected' && last.policyDigest === version.digest)
  );
}

const reasons = {
  'new-revision': { vi: 'Có số liệu hoặc chính sách mới', en: 'There are new figures or a new policy' },
  'drop-open': { vi: 'Số liệu trở lại như đã gửi', en: 'The figures are again those that were sent' },
  merged: { vi: 'Gộp vào báo cáo ngày vì hàng đợi đầy', en: 'Merged into the report of its day because the queue is full' },
} as const;

/** Whole periods in [fromMs, untilMs], oldest first, at most `most`. */
export function closedPeriods(duration: Duration, dayStart: string, fromMs: number, untilMs: number, most: number): readonly Period[] {
  const periods: Period[] = [];
  let period = periodAt(fromMs, duration, dayStart);
  if (Date.parse(period.from) < fromMs) period = periodAt(Date.parse(period.to), duration, dayStart);
  while (Date.parse(period.to) <= untilMs && periods.length < most) {
    periods.push(period);
    period = periodAt(Date.parse(period.to), duration, dayStart);
  }
  return periods;
}
