import { checkBalance } from './balance.ts';
import { type Evidence, type ServedValue, type StoredValue, tickModulus, type Verdict } from './evidence.ts';
import { createFindings, type Findings } from './findings.ts';

/**
 * Judges a run by what sources handed out and what is in the store, its losses and the dead letters. Pure; shares no code with the
 * product.
 *
 * - C1 nothing is stored that was not served. C2 nothing is stored twice.
 * - C3 what is not stored is counted, and only that. C4 a crash costs no more than its window.
 * - C5 no watermark is ahead of what is safe, none goes back. C6 nothing is deleted that is needed.
 * - C7 time stamps are right within the stated error; order is by number. C8 bounds held. C9 it recovered in time.
 */
export function judge(evidence: Evidence): Verdict {
  const findings = createFindings();
  const served = new Map<string, ServedValue>();
  for (const value of evidence.served) {
    const key = keyOf(value);
    if (served.has(key)) throw new Error(`The journal is no evidence: ${key} was handed out twice`);
    served.set(key, value);
  }
  const stored = new Map<string, StoredValue>();
  let doubled = 0;
  let invented = 0;
  for (const row of evidence.stored) {
    const key = keyOf(row);
    const origin = served.get(key);
    if (origin === undefined) {
      invented++;
      findings.note('C1 stored but never served', `${key} at ${row.timestampMs}`);
      continue;
    }
    if (stored.has(key)) {
      doubled++;
      findings.note('C2 stored twice', `${key} at ${row.timestampMs} and ${stored.get(key)?.timestampMs}`);
      continue;
    }
    stored.set(key, row);
    const errorMs = Math.abs(row.timestampMs - origin.atMs);
    if (errorMs > evidence.maxClockErrorMs)
      findings.note('C7 wrong time', `${key}: ${errorMs} ms off, at most ${evidence.maxClockErrorMs}`);
  }
  const missing = new Map<string, ServedValue[]>();
  for (const [key, value] of served) {
    if (stored.has(key)) continue;
    const values = missing.get(value.series);
    if (values === undefined) missing.set(value.series, [value]);
    else values.push(value);
  }
  const balance = checkBalance(evidence, missing, findings);
  checkOrder(stored.values(), evidence.maxClockErrorMs, findings);
  checkMarks(evidence, findings);
  return { served: served.size, stored: evidence.stored.length, doubled, invented, ...balance, violations: findings.list() };
}

/** C7: what a source handed out later is later, as far as its clock allows; in the same millisecond the tick tells. */
function checkOrder(stored: Iterable<StoredValue>, errorMs: number, findings: Findings): void {
  const rows = [...stored].sort((a, b) => (a.series < b.series ? -1 : a.series > b.series ? 1 : a.value - b.value));
  let latest: StoredValue | undefined;
  for (const [i, row] of rows.entries()) {
    const before = rows[i - 1];
    if (before?.series !== row.series) {
      latest = row;
      continue;
    }
    if (latest !== undefined && row.timestampMs < latest.timestampMs - 2 * errorMs) {
      findings.note('C7 out of order', `${row.series}: ${row.value} is at ${row.timestampMs}, ${latest.value} at ${latest.timestampMs}`);
    }
    if (before.timestampMs === row.timestampMs && before.tick !== undefined && row.tick !== undefined) {
      const steps = (row.tick - before.tick + tickModulus) % tickModulus;
      if (steps === 0 || steps > tickModulus / 2) {
        findings.note(
          'C7 out of order',
          `${row.series}: ${before.value} and ${row.value} at ${row.timestampMs} have ticks ${before.tick} and ${row.tick}`,
        );
      }
    }
    if (latest === undefined || row.timestampMs > latest.timestampMs) latest = row;
  }
}

/** C5, C6, C8, C9. */
function checkMarks({ watermarks = [], deletions = [], measured = [], recoveries = [] }: Evidence, findings: Findings): void {
  const highest = new Map<string, number>();
  for (const { of, atMs, value, safe } of watermarks) {
    if (value > safe) findings.note('C5 a watermark is ahead', `${of} says ${value} at ${atMs}, safe is ${safe}`);
    if (value < (highest.get(of) ?? value))
      findings.note('C5 a watermark went back', `${of} from ${highest.get(of)} to ${value} at ${atMs}`);
    highest.set(of, Math.max(value, highest.get(of) ?? value));
  }
  for (const { of, atMs, to, safe } of deletions) {
    if (to > safe) findings.note('C6 deleted too early', `${of} up to ${to} at ${atMs}, safe is ${safe}`);
  }
  for (const { name, highest: value, limit } of measured) {
    if (value > limit) findings.note('C8 beyond its bound', `${name}: ${value}, at most ${limit}`);
  }
  for (const { name, tookMs, limitMs } of recoveries) {
    if (tookMs > limitMs) findings.note('C9 recovered too late', `${name}: ${tookMs} ms, at most ${limitMs}`);
  }
}

function keyOf({ series, value }: { readonly series: string; readonly value: number }): string {
  return `${series} = ${value}`;
}
