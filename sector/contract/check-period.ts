import { type Finding, finding } from './finding.ts';
import { isAligned } from './period.ts';
import type { ReportContent } from './report.ts';

/** How far the clocks of sender and receiver may be apart. */
const clockToleranceMs = 300_000;

/** E110: one whole period of the calendar; E113: it is over, both now and when the report was issued. */
export function checkPeriod({ period, issuedAt }: ReportContent, nowMs: number): Finding[] {
  const found: Finding[] = [];
  if (!isAligned(period)) {
    const start = period.dayStart ?? '00:00';
    found.push(
      finding('E110', '/period/from', {
        vi: `Từ ${period.from} đến ${period.to} không phải là một kỳ ${period.duration} với ngày bắt đầu lúc ${start}`,
        en: `${period.from} to ${period.to} is not one ${period.duration} of days that begin at ${start}`,
      }),
    );
  }
  const issuedMs = Date.parse(issuedAt);
  const toMs = Date.parse(period.to);
  if (toMs > nowMs + clockToleranceMs) found.push(finding('E113', '/period/to'));
  if (issuedMs > nowMs + clockToleranceMs) {
    found.push(
      finding('E113', '/issuedAt', {
        vi: `Báo cáo lập lúc ${issuedAt}, ở tương lai: kiểm tra đồng hồ`,
        en: `Issued at ${issuedAt}, in the future: look at the clock`,
      }),
    );
  } else if (issuedMs + clockToleranceMs < toMs) {
    found.push(finding('E113', '/issuedAt', { vi: 'Báo cáo lập trước khi kỳ kết thúc', en: 'Issued before the period was over' }));
  }
  return found;
}
