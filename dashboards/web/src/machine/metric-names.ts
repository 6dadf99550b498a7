import type { MetricView } from '@nhip/core/wire/live';
import { alarmPrefix, deviceProperties, isMachineState, metricNames } from '@nhip/core/wire/vocabulary';
import type { Format } from '../i18n/format.ts';
import { type Language, translate } from '../i18n/translate.ts';
import { type MessageKey, vi } from '../i18n/vi.ts';
import { numeric } from './trend-series.ts';

export const mostCharts = 4;

/** A known metric by its meaning, any other by its own name. `words` names codes (reasons, alarms). */
export function metricLabel(language: Language, metric: string, words: (code: string) => string): string {
  const key = `metric.${metric}`;
  if (Object.hasOwn(vi, key)) return translate(language, key as MessageKey & `metric.${string}`);
  if (metric.startsWith(alarmPrefix)) return translate(language, 'values.alarmNamed', { name: words(metric.slice(alarmPrefix.length)) });
  return metric;
}

export function metricValue(language: Language, format: Format, metric: MetricView, words: (code: string) => string): string {
  if (metric.v === null) return '–';
  if (typeof metric.v === 'boolean') return translate(language, metric.v ? 'values.on' : 'values.off');
  if (typeof metric.v === 'number') return format.decimal(metric.v);
  if (metric.name === metricNames.state && isMachineState(metric.v)) return translate(language, `state.${metric.v}`);
  if (metric.name === metricNames.stateReason) return metric.v === '' ? '–' : words(metric.v);
  const number = numeric(metric.v);
  return number === null || !Number.isSafeInteger(number) ? metric.v : format.int(number);
}

/** Known metrics first, in the vocabulary's order, then process values by name, alarms last; without what describes the device itself. */
export function inReadingOrder(metrics: readonly MetricView[]): MetricView[] {
  const known = Object.values(metricNames) as string[];
  const rank = (name: string): number => {
    if (name.startsWith(alarmPrefix)) return known.length + 1;
    const place = known.indexOf(name);
    return place < 0 ? known.length : place;
  };
  const described = Object.values(deviceProperties) as string[];
  return metrics
    .filter((metric) => !described.includes(metric.name))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

export function isPlottable(metric: MetricView): boolean {
  return numeric(metric.v) !== null;
}

/** What to draw when the URL names nothing: power and the first process values, which say more than counters that only grow. */
export function defaultCharts(metrics: readonly MetricView[]): string[] {
  const meant = new Set<string>(Object.values(metricNames));
  const free = metrics.filter((metric) => typeof metric.v === 'number' && !meant.has(metric.name) && !metric.name.startsWith(alarmPrefix));
  const power = metrics.filter((metric) => metric.name === metricNames.powerActive);
  const chosen = [...power, ...free].slice(0, 3).map((metric) => metric.name);
  return chosen.length > 0
    ? chosen
    : metrics
        .filter(isPlottable)
        .slice(0, 1)
        .map((metric) => metric.name);
}
