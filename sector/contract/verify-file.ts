import type { KeyObject } from 'node:crypto';
import { isCanonical } from './canonical.ts';
import { checkReport } from './check.ts';
import { checkSignature } from './check-signature.ts';
import { digestOf } from './digest.ts';
import type { Finding } from './finding.ts';
import { publicKeyFromJwk, publicKeyOf } from './keys.ts';
import { type Receipt, receiptContractName, verifyReceipt } from './receipt.ts';
import { contractName, type ProductionReport, seriesKeyOf } from './report.ts';
import { receiptProblems } from './schema-check.ts';
import type { Verdict } from './signature.ts';
import { parseStrictJson } from './strict-json.ts';

/** A public key to verify with; without a kid it is tried on everything. */
export interface GivenKey {
  readonly kid?: string;
  readonly publicKey: KeyObject;
}

export interface VerifiedFile {
  readonly ok: boolean;
  readonly kind: 'report' | 'receipt' | 'unknown';
  /** Whether the file is, byte for byte, what was signed; a file that was formatted for reading is not, and is verified all the same. */
  readonly isCanonical: boolean;
  readonly digest?: string;
  readonly kid?: string;
  readonly seriesKey?: string;
  readonly revision?: number;
  /** Why it is not good, one English sentence each; empty when ok. */
  readonly problems: readonly string[];
  readonly findings: readonly Finding[];
}

/** Keys of a PEM, a JWK or a JWK set. Throws when it is none of them, or holds a private key. */
export function keysOf(text: string): GivenKey[] {
  if (!text.trimStart().startsWith('{')) return [{ publicKey: publicKeyOf(text) }];
  const json: unknown = JSON.parse(text);
  const list: readonly unknown[] =
    typeof json === 'object' && json !== null && 'keys' in json && Array.isArray(json.keys) ? json.keys : [json];
  return list.map((jwk) => {
    const publicKey = publicKeyFromJwk(jwk);
    const kid: unknown = (jwk as { readonly kid?: unknown }).kid;
    return typeof kid === 'string' ? { kid, publicKey } : { publicKey };
  });
}

/**
 * Verifies a report or a receipt without any network: form, invariants, signature by one of the keys; of a receipt also its place in the
 * log and, when `reportText` is given, that it is for exactly that report. Never throws.
 */
export function verifyFile(
  text: string,
  keys: readonly GivenKey[],
  context: { readonly nowMs: number; readonly reportText?: string },
): VerifiedFile {
  const nothing = { ok: false, isCanonical: false, findings: [] } as const;
  const parsed = parse(text);
  if (!parsed.ok) return { ...nothing, kind: 'unknown', problems: [parsed.reason] };
  const contract =
    typeof parsed.value === 'object' && parsed.value !== null && 'contract' in parsed.value ? parsed.value.contract : undefined;
  const canonical = isCanonical(text.trimEnd());
  if (contract === contractName) return { ...verifyReportFile(parsed.value, keys, context.nowMs), isCanonical: canonical };
  if (contract === receiptContractName) return { ...verifyReceiptFile(parsed.value, keys, context.reportText), isCanonical: canonical };
  return { ...nothing, kind: 'unknown', problems: [`neither a ${contractName} nor a ${receiptContractName}`] };
}

function verifyReportFile(value: unknown, keys: readonly GivenKey[], nowMs: number): Omit<VerifiedFile, 'isCanonical'> {
  const { findings } = checkReport(value, { nowMs });
  const kind = 'report';
  const problems = findings.flatMap(({ severity, code, pointer, message }) =>
    severity === 'error' ? [`${code} ${pointer} ${message.en}`] : [],
  );
  if (findings.some(({ code }) => code === 'SCHEMA')) return { ok: false, kind, problems, findings };
  const report = value as ProductionReport;
  const { kid } = report.signature;
  const verdict = firstGood(keys, kid, (publicKey) => {
    const [wrong] = checkSignature(report, { publicKey, validFromMs: Number.NEGATIVE_INFINITY }, nowMs);
    return wrong === undefined ? { ok: true } : { ok: false, reason: `E111 ${wrong.pointer} ${wrong.message.en}` };
  });
  if (!verdict.ok) problems.push(verdict.reason);
  const facts = { digest: digestOf(report), kid, seriesKey: seriesKeyOf(report), revision: report.revision };
  return { ok: problems.length === 0, kind, ...facts, problems, findings };
}

function verifyReceiptFile(value: unknown, keys: readonly GivenKey[], reportText: string | undefined): Omit<VerifiedFile, 'isCanonical'> {
  const problems = [...receiptProblems(value)];
  if (problems.length > 0) return { ok: false, kind: 'receipt', problems, findings: [] };
  const receipt = value as Receipt;
  const parsed = reportText === undefined ? undefined : parse(reportText);
  if (parsed?.ok === false) problems.push(`the report of this receipt: ${parsed.reason}`);
  const report = parsed?.ok === true ? (parsed.value as ProductionReport) : undefined;
  const { kid } = receipt.signature;
  const verdict = firstGood(keys, kid, (publicKey) => verifyReceipt(receipt, report, publicKey));
  if (!verdict.ok) problems.push(verdict.reason);
  const facts = { digest: receipt.digest, kid, seriesKey: receipt.seriesKey, revision: receipt.revision };
  return { ok: problems.length === 0, kind: 'receipt', ...facts, problems, findings: [] };
}

function firstGood(keys: readonly GivenKey[], kid: string, verify: (publicKey: KeyObject) => Verdict): Verdict {
  const fitting = keys.filter((key) => key.kid === undefined || key.kid === kid);
  if (fitting.length === 0) return { ok: false, reason: `none of the given keys is ${kid}` };
  const verdicts = fitting.map(({ publicKey }) => verify(publicKey));
  return verdicts.find(({ ok }) => ok) ?? (verdicts[0] as Verdict);
}

function parse(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string } {
  try {
    return { ok: true, value: parseStrictJson(text) };
  } catch (error) {
    return { ok: false, reason: `no JSON to rely on: ${error instanceof Error ? error.message : String(error)}` };
  }
}
