/**
 * The derived tags of one device.
 *
 * A rule is evaluated once for every change of its inputs, in the order of the readings; a reading of a metric that has changed already
 * begins a new step. Until every input has been heard of on this connection there is no result. The quality of a result is the worst of
 * all inputs, whether the expression used them this time or not; a bad or missing input, or no value (division by zero, something that
 * does not fit the type), makes null with bad quality. Its time is that of the newest input. History does not pass through rules.
 */
import { type Quality, quality, type Value } from '@nhip/core/wire/sample';
import type { DerivedTag, DeviceConfig, MetricDefinition, Reading } from '../driver.ts';
import { programsOf } from './derived-problems.ts';
import { createEvaluation, type Evaluation } from './evaluation.ts';
import { kindOfType, type Program } from './expression.ts';
import { fitTo } from './fit.ts';
import { type Kind, kindOf, type Scalar } from './functions.ts';
import type { Memory } from './memory-functions.ts';
import { normal } from './numbers.ts';
import type { Attached, RuleMemory } from './rule-memory.ts';

export interface DeviceRules {
  /** What may be reported of these readings, and the results of the rules. */
  apply(readings: readonly Reading[]): readonly Reading[];
  /** A new connection: what was read before is not known to hold any more. Sums go on. */
  forget(): void;
  /** What the rules remember is for their successors. */
  close(): void;
}

interface Rule {
  readonly tag: DerivedTag;
  readonly program: Program;
  readonly kinds: readonly (Kind | undefined)[];
  readonly evaluation: Evaluation;
  readonly attached: Attached | undefined;
}

/**
 * `metrics` are those of the driver. `late` takes results that were not in the answer of `apply`: sums that have reached the disk.
 * Without a memory sums are shown at once and gone after a restart.
 */
export function createDeviceRules(
  device: DeviceConfig,
  metrics: readonly MetricDefinition[],
  memory?: RuleMemory,
  late?: (readings: readonly Reading[]) => void,
): DeviceRules {
  const kinds = new Map([...metrics.map((metric) => [metric.name, metric.dataType] as const), ...derivedTypes(device)]);
  const rules = [...programsOf(device, metrics)].map(([tag, program]): Rule => {
    const evaluation = createEvaluation(program, memory === undefined);
    const rule: Rule = {
      tag,
      program,
      kinds: program.inputs.map((name) => kindOfType(kinds.get(name) ?? 'Unknown')),
      evaluation,
      attached:
        program.memoryCalls.length === 0
          ? undefined
          : memory?.attach(keyOf(device, tag), {
              snapshot: () => evaluation.cells.map((cell) => cell.memory),
              onKept: (memories) => showSums(rule, memories),
            }),
    };
    evaluation.cells.forEach((cell, i) => {
      cell.memory = rule.attached?.recalled?.[i] ?? {};
      cell.kept = cell.memory.sum ?? 0;
    });
    return rule;
  });
  const internal = new Set([
    ...metrics.filter(({ report }) => report?.publish === false).map(({ name }) => name),
    ...rules.filter(({ tag }) => tag.publish === false).map(({ tag }) => tag.metric),
  ]);
  const read = new Set(rules.flatMap(({ program }) => program.inputs));
  const latest = new Map<string, Reading>();

  const evaluate = ({ tag, program, kinds: wanted, evaluation }: Rule): Reading | undefined => {
    let timestampMs = Number.NEGATIVE_INFINITY;
    let worst: Quality = quality.good;
    const values: Scalar[] = [];
    for (const [i, name] of program.inputs.entries()) {
      const input = latest.get(name);
      if (input === undefined) return undefined;
      timestampMs = Math.max(timestampMs, input.timestampMs);
      const value = scalarOf(input.value, wanted[i]);
      if (value === undefined || input.quality === quality.bad) worst = quality.bad;
      else {
        values.push(value);
        if (worst === quality.good) worst = input.quality;
      }
    }
    const result = worst === quality.bad ? undefined : fitTo(tag.dataType, evaluation.step(values));
    return result === undefined
      ? { metric: tag.metric, value: null, timestampMs, quality: quality.bad }
      : { metric: tag.metric, value: result, timestampMs, quality: worst };
  };

  /** Evaluates what depends on `changed`, in the order of the configuration: a rule may read those above it. */
  const follow = (changed: Set<string>, out: Reading[]): void => {
    for (const rule of rules) {
      if (!rule.program.inputs.some((name) => changed.has(name))) continue;
      const reading = evaluate(rule);
      if (reading !== undefined) take(rule, reading, changed, out);
      if (rule.evaluation.cells.some((cell) => (cell.memory.sum ?? 0) !== cell.kept)) rule.attached?.changed();
    }
  };

  const take = ({ tag }: Rule, reading: Reading, changed: Set<string>, out: Reading[]): void => {
    latest.set(tag.metric, reading);
    changed.add(tag.metric);
    if (!internal.has(tag.metric)) out.push(reading);
  };

  /** The sums are on disk as given: what they change is a new result. */
  const showSums = (rule: Rule, memories: readonly Memory[]): void => {
    rule.evaluation.cells.forEach((cell, i) => {
      cell.kept = memories[i]?.sum ?? 0;
    });
    const last = latest.get(rule.tag.metric);
    if (last === undefined || last.quality === quality.bad) return;
    const value = fitTo(rule.tag.dataType, rule.evaluation.value());
    if (value === undefined || value === last.value) return;
    const out: Reading[] = [];
    const changed = new Set<string>();
    take(rule, { ...last, value }, changed, out);
    follow(changed, out);
    if (out.length > 0) late?.(out);
  };

  return {
    apply: (readings) => {
      if (rules.length === 0 && internal.size === 0) return readings;
      const out: Reading[] = [];
      let changed = new Set<string>();
      for (const reading of readings) {
        if (!internal.has(reading.metric)) out.push(reading);
        if (reading.isHistorical === true || !read.has(reading.metric)) continue;
        if (changed.has(reading.metric)) {
          follow(changed, out);
          changed = new Set();
        }
        latest.set(reading.metric, reading);
        changed.add(reading.metric);
      }
      if (changed.size > 0) follow(changed, out);
      return out;
    },
    forget: () => latest.clear(),
    close: () => {
      for (const { attached } of rules) attached?.detach();
    },
  };
}

function derivedTypes(device: DeviceConfig): readonly (readonly [string, DerivedTag['dataType']])[] {
  return (device.derived ?? []).map((tag) => [tag.metric, tag.dataType]);
}

function keyOf({ id }: DeviceConfig, { metric, expression }: DerivedTag) {
  return { deviceId: id, metric, expression };
}

/** The value when it is of the kind that its metric promises. */
function scalarOf(value: Value, kind: Kind | undefined): Scalar | undefined {
  if (value === null || kindOf(value) !== kind) return undefined;
  return typeof value === 'number' || typeof value === 'bigint' ? normal(value) : value;
}
