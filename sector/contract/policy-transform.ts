import { bucketOf, decimalText, millionths, roundToDigits } from './decimal.ts';
import { covers, leavesOf, pointerOf, segmentsOf } from './pointer.ts';
import { type Refusal, refusal, type Transform } from './policy.ts';
import { isNumber } from './policy-check.ts';
import type { Output, QualityFlag, ReportContent } from './report.ts';
import { schemas } from './schema-check.ts';
import { type SchemaNode, schemaAt } from './schema-path.ts';

interface Coarse {
  readonly ok: true;
  readonly report: ReportContent;
  readonly changed: readonly string[];
}

/** Cuts codes to the level of the policy and adds up the rows that become equal; flags move with their rows. */
export function coarsenCodes(report: ReportContent, transforms: readonly Transform[]): Coarse | Refusal {
  const levelOf = (path: string): number | undefined => {
    const found = transforms.find((each) => each.op === 'code_level' && each.path === path);
    return found?.op === 'code_level' ? found.arg : undefined;
  };
  const activityLevel = levelOf('/activity/code');
  const activity = { ...report.activity, code: report.activity.code.slice(0, activityLevel) };
  const changed = activity.code === report.activity.code ? [] : ['/activity/code'];
  const level = levelOf('/production/output/*/productCode');
  if (level === undefined) return { ok: true, report: { ...report, activity }, changed };
  const rows: Output[] = [];
  const rowOf: number[] = [];
  for (const [index, output] of report.production.output.entries()) {
    const productCode = cutCode(output, level);
    if (productCode === undefined) {
      const at = `/production/output/${index}/productCode`;
      const [vi, en] = [
        `Mã ${output.productScheme} không có cấp: gán mã VCPA hoặc HS cho sản phẩm`,
        `A ${output.productScheme} code has no levels: give the product a VCPA or HS code`,
      ];
      return refusal('no_code_level', vi, en, at);
    }
    const same = rows.findIndex((row) => row.productCode === productCode && isSameKind(row, output));
    const row = { ...output, productCode };
    rowOf.push(same === -1 ? rows.push(row) - 1 : same);
    if (same !== -1) rows[same] = added(rows[same] as Output, row);
  }
  const codes = rows.map((_, row) => `/production/output/${row}/productCode`);
  const wasCut = codes.filter((_, row) =>
    rowOf.some((to, from) => to === row && report.production.output[from]?.productCode !== rows[row]?.productCode),
  );
  const production = { ...report.production, output: rows };
  const quality = { flags: movedFlags(report.quality.flags, rowOf, rows) };
  return { ok: true, report: { ...report, activity, production, quality }, changed: [...changed, ...wasCut] };
}

/** Makes numbers coarse and flags them. */
export function coarsenNumbers(report: ReportContent, transforms: readonly Transform[]): Coarse {
  const steps = transforms.flatMap((transform) => {
    return transform.op === 'round' || transform.op === 'bucket' ? [{ transform, pattern: segmentsOf(transform.path) }] : [];
  });
  const flags: QualityFlag[] = [];
  const changed: string[] = [];
  const parts = structuredClone(report) as unknown as Record<string, unknown>;
  for (const { path, value } of leavesOf(report)) {
    const step = steps.find(({ pattern }) => covers(pattern, path));
    if (step === undefined || !isNumberAt(path) || (typeof value !== 'string' && typeof value !== 'number')) continue;
    const exact = millionths(value);
    const { transform } = step;
    // Zero is exact however few digits are kept; in a bucket it must look like its neighbours.
    if (exact === 0n && transform.op === 'round') continue;
    const coarse = transform.op === 'round' ? roundToDigits(exact, transform.arg) : bucketOf(exact, millionths(transform.arg));
    const pointer = pointerOf(path);
    if (coarse !== exact) changed.push(pointer);
    put(parts, path, typeof value === 'number' ? Number(coarse / 1_000_000n) : decimalText(coarse));
    flags.push(
      transform.op === 'round'
        ? { path: pointer, obsStatus: 'A', note: 'rounded', digits: transform.arg }
        : { path: pointer, obsStatus: 'A', note: 'bucketed', width: transform.arg },
    );
  }
  const coarse = parts as unknown as ReportContent;
  return { ok: true, report: { ...coarse, quality: { flags: [...report.quality.flags, ...flags] } }, changed };
}

/** The leading part of a code; undefined where codes of a scheme have no levels. */
function cutCode({ productScheme, productCode }: Output, level: number): string | undefined {
  if (productScheme === 'VCPA2018') return productCode.slice(0, level);
  // Levels of the Harmonized System have two digits each.
  return productScheme === 'HS2022' ? productCode.replaceAll('.', '').slice(0, level - (level % 2)) : undefined;
}

function isSameKind(a: Output, b: Output): boolean {
  return a.productScheme === b.productScheme && a.unit === b.unit && a.origin === b.origin;
}

/** Sum of two rows; an optional part that one of them lacks is not known of the sum. */
function added(a: Output, b: Output): Output {
  const { productScheme, productCode, unit, origin } = a;
  const text = (key: 'scrap' | 'rework' | 'ratedCapacity'): object => {
    const [x, y] = [a[key], b[key]];
    return x === undefined || y === undefined ? {} : { [key]: decimalText(millionths(x) + millionths(y)) };
  };
  const seconds = (key: 'idealSeconds' | 'idealSecondsGood'): object => {
    const [x, y] = [a[key], b[key]];
    return x === undefined || y === undefined ? {} : { [key]: x + y };
  };
  return {
    productScheme,
    productCode,
    unit,
    produced: decimalText(millionths(a.produced) + millionths(b.produced)),
    good: decimalText(millionths(a.good) + millionths(b.good)),
    ...text('scrap'),
    ...text('rework'),
    ...seconds('idealSeconds'),
    ...seconds('idealSecondsGood'),
    ...text('ratedCapacity'),
    origin,
  };
}

function movedFlags(flags: readonly QualityFlag[], rowOf: readonly number[], rows: readonly Output[]): QualityFlag[] {
  const moved = flags.flatMap((flag) => {
    const [part, list, index, ...rest] = segmentsOf(flag.path);
    if (part !== 'production' || list !== 'output' || index === undefined) return [flag];
    const row = rowOf[Number(index)];
    const isThere = row !== undefined && rest.every((key) => Object.hasOwn(rows[row] ?? {}, key));
    return isThere ? [{ ...flag, path: pointerOf([part, list, String(row), ...rest]) }] : [];
  });
  return moved.filter((flag, index) => moved.findIndex((other) => JSON.stringify(other) === JSON.stringify(flag)) === index);
}

function isNumberAt(path: readonly string[]): boolean {
  const node = schemaAt(schemas.report as SchemaNode, pointerOf(path.map((segment) => (/^[0-9]+$/.test(segment) ? '*' : segment))));
  return node !== undefined && isNumber(node);
}

function put(parts: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) parts[key] = value;
  else put(parts[key] as Record<string, unknown>, rest, value);
}
