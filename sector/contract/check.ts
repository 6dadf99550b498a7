import type { ErrorObject } from 'ajv/dist/2020.js';
import { checkCodes } from './check-codes.ts';
import { checkHistory } from './check-history.ts';
import { checkInvariants } from './check-invariants.ts';
import { checkPeriod } from './check-period.ts';
import { checkSignature, type KeyRecord } from './check-signature.ts';
import { type Finding, finding } from './finding.ts';
import { valueAt } from './pointer.ts';
import type { ProductionReport, ReportContent, Reporter, Sharing, UnsignedReport } from './report.ts';
import { checkReportSchema, checkUnsignedSchema } from './schema-check.ts';
import { schemaFindings } from './schema-findings.ts';

/** What a check knows besides the report. What is absent is not checked. */
export interface CheckContext {
  readonly nowMs: number;
  /** Looks up a key for E111. */
  findKey?(kid: string): KeyRecord | undefined;
  /** From when the report is known to exist, ms UTC; see checkSignature. Default: now. */
  readonly knownSinceMs?: number;
  /** Looks up policy and agreement for E112. */
  findSharing?(sharing: Sharing, reporter: Reporter): 'known' | 'unknown_policy' | 'inactive_agreement';
  /** Earlier reports of the same establishment and duration, for W201. */
  readonly history?: readonly ProductionReport[];
}

export interface CheckResult<Report = ProductionReport> {
  /** At most 100 of the schema; in the order of the codes after that. */
  readonly findings: readonly Finding[];
  /** The report, typed; absent when a finding is an error. */
  readonly report?: Report;
}

/**
 * Checks a signed report: schema, then, when it fits, codes, period, invariants, sharing and signature, all of them. Never throws.
 * The order of series (E114, E115) is for the store that holds them. Bound the size of the input before.
 */
export function checkReport(input: unknown, context: CheckContext): CheckResult {
  return check<ProductionReport>(input, checkReportSchema, (report) => [
    ...contentFindings(report, context),
    ...sharingFindings(report, context),
    ...(context.findKey === undefined
      ? []
      : checkSignature(report, context.findKey(report.signature.kid), context.knownSinceMs ?? context.nowMs)),
    ...(context.history === undefined ? [] : checkHistory(report, context.history)),
  ]);
}

/** The same for a report that is not signed yet: what the factory asks before it seals. */
export function checkUnsigned(input: unknown, context: CheckContext): CheckResult<UnsignedReport> {
  return check<UnsignedReport>(input, checkUnsignedSchema, (report) => [
    ...contentFindings(report, context),
    ...sharingFindings(report, context),
    ...(context.history === undefined ? [] : checkHistory(report, context.history)),
  ]);
}

function check<Report extends ReportContent>(
  input: unknown,
  schemaErrors: (value: unknown) => readonly ErrorObject[],
  rules: (report: Report) => readonly Finding[],
): CheckResult<Report> {
  const errors = schemaErrors(input);
  if (errors.length > 0) return { findings: schemaFindings(errors) };
  // The schema fits: that is the proof of the type.
  const report = input as Report;
  const findings = rules(report);
  return findings.some(({ severity }) => severity === 'error') ? { findings } : { findings, report };
}

function contentFindings(report: ReportContent, { nowMs }: CheckContext): Finding[] {
  return [...checkCodes(report), ...checkPeriod(report, nowMs), ...checkInvariants(report), ...flagFindings(report)];
}

function flagFindings(report: ReportContent): Finding[] {
  return report.quality.flags.flatMap(({ path }, index) =>
    valueAt(report, path) === undefined
      ? [finding('SCHEMA', `/quality/flags/${index}/path`, { vi: `Báo cáo không có ${path}`, en: `The report has no ${path}` })]
      : [],
  );
}

function sharingFindings(report: UnsignedReport, context: CheckContext): Finding[] {
  switch (context.findSharing?.(report.sharing, report.reporter)) {
    case 'unknown_policy':
      return [
        finding('E112', '/sharing/policyDigest', { vi: 'Không biết chính sách có mã băm này', en: 'No policy with this digest is known' }),
      ];
    case 'inactive_agreement':
      return [finding('E112', '/sharing/agreementId', { vi: 'Thỏa thuận không còn hiệu lực', en: 'The agreement is not active' })];
    default:
      return [];
  }
}
