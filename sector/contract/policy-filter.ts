import { covers, leavesOf, pointerOf, segmentsOf } from './pointer.ts';
import { activeProduct, type ProductContract, type Refusal, refusal, type SharedProduct, type SharingPolicy } from './policy.ts';
import { alwaysSent, policyProblems } from './policy-check.ts';
import { coarsenCodes, coarsenNumbers } from './policy-transform.ts';
import type { Duration, MachineStatus, QualityFlag, ReportContent } from './report.ts';
import { checkContentSchema, checkMachineStatusSchema, errorPointer } from './schema-check.ts';

/**
 * The filter between a factory and a recipient: pure, default deny.
 *
 * A leaf leaves when it belongs to the parts without which there is no report, or when an include covers it and no exclude or drop does.
 * Then codes are cut, numbers made coarse, and what the schema needs is filled in empty: `energy: []`, `production.output: []`,
 * `quality.flags: []`. An emptied list gets the flag `withheld`, so that "not shared" is never read as "none"; a coarse number gets
 * `rounded` or `bucketed`, which is what the invariants allow for (bounds.ts). Where the schema needs a value that the policy keeps back,
 * nothing leaves and the refusal names the field: the filter never invents a number.
 */
export type Filtered<Content> =
  | {
      readonly ok: true;
      readonly filtered: Content;
      /** Pointers of every value that leaves, into `filtered`. */
      readonly left: readonly string[];
      /** Pointers of every value that stays, into the input. */
      readonly removed: readonly string[];
      /** Pointers of values that leave in another form, into `filtered`. */
      readonly changed: readonly string[];
    }
  | Refusal;

const lengthOrder: readonly Duration[] = ['PT1H', 'P1D', 'P1W', 'P1M'];

/** What of a report leaves to a recipient. The policy must be in force when the report was issued. Never throws. */
export function applyPolicy(
  report: ReportContent,
  policy: SharingPolicy,
  recipientId: string,
  product: ProductContract = 'vn.sector.production-report',
): Filtered<ReportContent> {
  const [problem] = policyProblems(policy);
  if (problem !== undefined) return refusal('policy_invalid', `Chính sách có lỗi: ${problem}`, `The policy is not sound: ${problem}`);
  if (policy.owner.enterpriseId !== report.reporter.enterpriseId) {
    return refusal('other_owner', 'Chính sách của doanh nghiệp khác', 'The policy is that of another enterprise', '/reporter/enterpriseId');
  }
  const active = activeProduct(policy, recipientId, product, Date.parse(report.issuedAt));
  if (!active.ok) return active;
  return tooSmall(report, active.product) ?? filter(report, active.product);
}

/** What of a status event leaves to a recipient at a moment, ms UTC: its required fields and the optional ones that are included. */
export function applyPolicyToStatus(
  event: MachineStatus,
  policy: SharingPolicy,
  recipientId: string,
  atMs: number,
): Filtered<MachineStatus> {
  const [problem] = policyProblems(policy);
  if (problem !== undefined) return refusal('policy_invalid', `Chính sách có lỗi: ${problem}`, `The policy is not sound: ${problem}`);
  const active = activeProduct(policy, recipientId, 'vn.sector.machine-status', atMs);
  if (!active.ok) return active;
  const { kept, removed } = keep(event, active.product);
  const [error] = checkMachineStatusSchema(kept);
  if (error !== undefined) return missing(errorPointer(error));
  const filtered = kept as MachineStatus;
  return { ok: true, filtered, left: pointersOf(filtered), removed, changed: [] };
}

function tooSmall({ period, coverage, status }: ReportContent, { minPeriod, minMachines }: SharedProduct): Refusal | undefined {
  if (minPeriod !== undefined && lengthOrder.indexOf(period.duration) < lengthOrder.indexOf(minPeriod)) {
    const [vi, en] = [`Kỳ ${period.duration} ngắn hơn mức ${minPeriod}`, `A period of ${period.duration} is shorter than ${minPeriod}`];
    return refusal('period_too_short', vi, en, '/period/duration');
  }
  // A withdrawal has no machines and must always be possible.
  if (minMachines !== undefined && status !== 'withdrawn' && coverage.machinesInstrumented < minMachines) {
    const [vi, en] = [
      `Chỉ có ${coverage.machinesInstrumented} máy, cần ${minMachines}`,
      `Over ${coverage.machinesInstrumented} machines; the policy asks for ${minMachines}`,
    ];
    return refusal('too_few_machines', vi, en, '/coverage/machinesInstrumented');
  }
  return undefined;
}

function filter(report: ReportContent, product: SharedProduct): Filtered<ReportContent> {
  const { kept, removed } = keep(report, product);
  const filled = fill(kept, report);
  // From here on the parts are where the schema has them, but may lack fields; the schema is asked before anything is computed.
  const gap = problemOf(filled);
  if (gap !== undefined) return gap;
  const transforms = product.transform ?? [];
  const coded = coarsenCodes(filled as ReportContent, transforms);
  if (!coded.ok) return coded;
  const coarse = coarsenNumbers(coded.report, transforms);
  const problem = problemOf(coarse.report);
  if (problem !== undefined) return problem;
  const filtered = coarse.report;
  return { ok: true, filtered, left: pointersOf(filtered), removed, changed: [...coded.changed, ...coarse.changed] };
}

/** The included part of a value. Elements of lists of which nothing leaves are taken out. */
function keep(value: object, product: SharedProduct): { readonly kept: unknown; readonly removed: readonly string[] } {
  const { contract, include = [], exclude = [], transform = [] } = product;
  const allowed = [...alwaysSent[contract], ...include].map(segmentsOf);
  const denied = [...exclude, ...transform.flatMap(({ op, path }) => (op === 'drop' ? [path] : []))].map(segmentsOf);
  const leaves = (path: readonly string[]): boolean =>
    allowed.some((pattern) => covers(pattern, path)) && !denied.some((pattern) => covers(pattern, path));
  const removed = new Set(
    leavesOf(value)
      .filter(({ path }) => !leaves(path))
      .map(({ path }) => pointerOf(path)),
  );
  const { rest, dropped } = dropFlagsOn(value, removed);
  return { kept: prune(rest, [], leaves), removed: [...new Set([...removed, ...dropped])] };
}

function prune(value: unknown, path: readonly string[], leaves: (path: readonly string[]) => boolean): unknown {
  if (typeof value !== 'object' || value === null) return leaves(path) ? value : undefined;
  const members = Object.entries(value).flatMap(([key, member]) => {
    const kept = prune(member, [...path, key], leaves);
    return kept === undefined ? [] : ([[key, kept]] as const);
  });
  if (members.length === 0) return Object.keys(value).length === 0 && leaves(path) ? value : undefined;
  return Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members);
}

/** A flag about a value that stays would point at nothing, and tell of it. `dropped`: pointers into the value as it came. */
function dropFlagsOn(value: object, removed: ReadonlySet<string>): { readonly rest: object; readonly dropped: readonly string[] } {
  if (!('quality' in value)) return { rest: value, dropped: [] };
  const { flags } = value.quality as ReportContent['quality'];
  const isGone = ({ path }: QualityFlag): boolean => removed.has(path) || [...removed].some((pointer) => pointer.startsWith(`${path}/`));
  return {
    rest: { ...value, quality: { flags: flags.filter((flag) => !isGone(flag)) } },
    dropped: flags.flatMap((flag, index) =>
      isGone(flag) ? leavesOf(flag).map(({ path }) => pointerOf(['quality', 'flags', String(index), ...path])) : [],
    ),
  };
}

function fill(kept: unknown, original: ReportContent): unknown {
  const part = kept as Partial<ReportContent>;
  const { production, energy = [], quality } = part;
  const output = production?.output ?? [];
  const withheld = (path: string): QualityFlag => ({ path, obsStatus: 'Q', note: 'withheld' });
  const flags = [
    ...(quality?.flags ?? []),
    ...(output.length === 0 && original.production.output.length > 0 ? [withheld('/production/output')] : []),
    ...(energy.length === 0 && original.energy.length > 0 ? [withheld('/energy')] : []),
  ];
  return { ...part, production: { ...production, output }, energy, quality: { flags } };
}

function problemOf(content: unknown): Refusal | undefined {
  const errors = checkContentSchema(content);
  const [error] = errors;
  if (error === undefined) return undefined;
  const required = errors.find(({ keyword }) => keyword === 'required');
  if (required !== undefined) return missing(errorPointer(required));
  const at = errorPointer(error);
  return refusal(
    'report_invalid',
    `Nội dung không đúng hợp đồng dữ liệu tại ${at}`,
    `The content does not fit the contract at ${at}: ${error.message}`,
    at,
  );
}

function missing(pointer: string): Refusal {
  const parent = pointer.slice(0, pointer.lastIndexOf('/'));
  return refusal(
    'required_field',
    `Báo cáo phải có ${pointer}: cho phép gửi trường này, hoặc bỏ cả ${parent === '' ? 'sản phẩm này' : parent}`,
    `A report must have ${pointer}: include it, or leave out the whole of ${parent === '' ? 'this product' : parent}`,
    pointer,
  );
}

function pointersOf(value: unknown): string[] {
  return leavesOf(value).map(({ path }) => pointerOf(path));
}
