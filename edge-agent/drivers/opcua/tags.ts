import type { OpcuaDeviceConfig, OpcuaTagConfig } from './config.ts';

/** One metric of a tag: a tag with `elements` has as many metrics as elements. */
export interface TagMetric {
  readonly metric: string;
  /** Index in the array; undefined for the value itself. */
  readonly element: number | undefined;
}

/** The most elements that one tag may name. */
export const maxElements = 256;

/** First and last index of `4-7` or `4`; undefined when the text is none or the range too long. */
export function parseElements(text: string): { readonly first: number; readonly last: number } | undefined {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return last >= first && last - first < maxElements ? { first, last } : undefined;
}

/** The metrics of a tag: itself, or `metric/<index>` for each of its elements. */
export function metricsOf(tag: Pick<OpcuaTagConfig, 'metric' | 'element' | 'elements'>): readonly TagMetric[] {
  const range = tag.elements === undefined ? undefined : parseElements(tag.elements);
  if (range === undefined) return [{ metric: tag.metric, element: tag.element }];
  const { first, last } = range;
  return Array.from({ length: last - first + 1 }, (_, i) => ({ metric: `${tag.metric}/${first + i}`, element: first + i }));
}

type Condition = OpcuaDeviceConfig['events'][number]['conditions'][number];

/** The metrics of a condition: `Alarm/<name>` says whether it is active. */
export function conditionMetrics({ condition, metric }: Condition): {
  readonly active: string;
  readonly message: string;
  readonly severity: string;
} {
  const active = metric ?? `Alarm/${condition}`;
  return { active, message: `${active}/Message`, severity: `${active}/Severity` };
}
