import type { ErrorObject } from 'ajv/dist/2020.js';
import { checkCodes } from './check-codes.ts';
import { checkInvariants } from './check-invariants.ts';
import { checkPeriod } from './check-period.ts';
import { type AgreementRecord, checkAgreement } from './check-sharing.ts';
import { checkSignature, type KeyRecord } from './check-signature.ts';
import { type Finding, finding } from './finding.ts';
import { valueAt } from './pointer.ts';
import type { ProductionReport, ReportContent, UnsignedReport } from './report.ts';
import { checkReportSchema, checkUnsignedSchema } from './schema-check.ts';
import { schemaFindings } from './schema-findings.ts';

/** What a check knows besides the report. What is absent is not checked. */
export interface CheckContext {
  readonly nowMs: number;
  /** Looks up a key for E111. */
  findKey?(kid: string): KeyRecord | undefined;
  /** From when the report is known to exist, ms UTC; see checkSignature and checkAgreement. Default: now. */
  readonly knownSinceMs?: number;
  /** Looks up an agreement of the reporting enterprise for E112. */
  findAgreement?(agreementId: string): AgreementRecord | undefined;
}

export interface CheckResult<Report = ProductionReport> {
  /** At most 100 of the schema; in the order of the codes after that. */
  readonly findings: readonly Finding[];
  /** The report, typed; absent when a finding is an error. */
  readonly report?: Report;
}

/**
 * Checks a signed report: schema, then, when it fits, codes, period, invariants, sharing and signature, all of them. Never throws.
 * What other reports say about this one is for the store that holds them: the order of series (E114, E115), a fork of the policy
 * (checkPolicyDigest), the earlier periods (checkHistory). Bound the size of the input before.
 */
export function checkReport(input: unknown, context: CheckContext): CheckResult {
  return check<ProductionReport>(input, checkReportSchema, (report) => [
    ...contentFindings(report, context),
    ...sharingFindings(report, context),
    ...(context.findKey === undefined
      ? []
      : checkSignature(report, context.findKey(report.signature.kid), context.knownSinceMs ?? context.nowMs)),
  ]);
}

/** The same for a report that is not signed yet: what the factory asks before it seals. */
export function checkUnsigned(input: unknown, context: CheckContext): CheckResult<UnsignedReport> {
  return check<UnsignedReport>(input, checkUnsignedSchema, (report) => [
    ...contentFindings(report, context),
    ...sharingFindings(report, context),
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

function sharingFindings(report: UnsignedReport, { findAgreement, knownSinceMs, nowMs }: CheckContext): Finding[] {
  return findAgreement === undefined ? [] : checkAgreement(report, findAgreement, knownSinceMs ?? nowMs);
}
