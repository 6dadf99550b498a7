import { isReportedUnreduced } from '@nhip/core/wire/vocabulary';
import type { ConnectionConfig, DerivedTag, DeviceConfig, DriverPlugin, MetricDefinition } from '../driver.ts';
import { compileExpression, kindOfType, type Program } from './expression.ts';

export interface ConfigProblem {
  /** Inside the connection's config. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What is wrong with the derived tags and the thinning out of a connection that its driver has found sound. */
export function ruleProblems<C extends ConnectionConfig>(plugin: DriverPlugin<C>, config: C): readonly ConfigProblem[] {
  return config.devices.flatMap((device, d) => {
    const metrics = plugin.metrics(device);
    const reduced = [...metrics, ...(device.derived ?? []).map((tag) => ({ name: tag.metric, dataType: tag.dataType, report: tag }))];
    return [
      ...derivedProblems(device, metrics).map(({ path, message }) => ({ path: ['devices', d, ...path], message })),
      ...reduced.flatMap((metric) => doorProblem(metric).map((message) => ({ path: ['devices', d], message }))),
    ];
  });
}

/** The programs of a device's derived tags, in their order; only for a configuration without problems. */
export function programsOf(device: DeviceConfig, metrics: readonly MetricDefinition[]): ReadonlyMap<DerivedTag, Program> {
  const programs = new Map<DerivedTag, Program>();
  compileAll(device, metrics, (tag, result) => {
    if ('program' in result) programs.set(tag, result.program);
  });
  return programs;
}

function derivedProblems(device: DeviceConfig, metrics: readonly MetricDefinition[]): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const taken = new Set(metrics.map(({ name }) => name.toLowerCase()));
  compileAll(device, metrics, (tag, result, i) => {
    const problem = (field: string, message: string): void => void problems.push({ path: ['derived', i, field], message });
    if (taken.has(tag.metric.toLowerCase())) problem('metric', `"${tag.metric}" is already a metric of the device (case does not count)`);
    taken.add(tag.metric.toLowerCase());
    const kind = kindOfType(tag.dataType);
    const ways = (['deadband', 'deadbandPercent', 'swingingDoor'] as const).filter((way) => tag[way] !== undefined);
    if (ways.length > 1) problem(ways[1] ?? '', `give one of ${ways.join(', ')}`);
    if (tag.maxDelayMs !== undefined && tag.swingingDoor === undefined) problem('maxDelayMs', 'has no meaning without swingingDoor');
    if ('problem' in result) problem('expression', result.problem);
    else if (kind !== result.program.kind) problem('dataType', `the expression gives a ${result.program.kind}, that is no ${tag.dataType}`);
  });
  return problems;
}

/** A derived tag may read those above it. */
function compileAll(
  device: DeviceConfig,
  metrics: readonly MetricDefinition[],
  each: (tag: DerivedTag, result: ReturnType<typeof compileExpression>, i: number) => void,
): void {
  const kinds = new Map(metrics.map(({ name, dataType }) => [name, kindOfType(dataType)]));
  device.derived?.forEach((tag, i) => {
    each(tag, compileExpression(tag.expression, { kindOf: (metric) => kinds.get(metric), map: tag.map }), i);
    kinds.set(tag.metric, kindOfType(tag.dataType));
  });
}

function doorProblem({ name, dataType, report }: MetricDefinition): readonly string[] {
  if (report?.swingingDoor === undefined) return [];
  if (kindOfType(dataType) !== 'number' || dataType === 'DateTime') return [`swingingDoor of "${name}": only numbers lie on a line`];
  return isReportedUnreduced(name)
    ? [`swingingDoor of "${name}": every change of a state, counter, job or alarm is reported; leave it out`]
    : [];
}
