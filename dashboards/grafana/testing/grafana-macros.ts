import type { Dashboard, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';

/** What Grafana puts into a query before it sends it: the time range, the interval and the variables. */
export interface Interpolation {
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number;
  readonly variables: Readonly<Record<string, string | readonly string[]>>;
}

/** As Grafana's InfluxDB data source writes them (its backend: `time >= 1ms and time <= 2ms`). Throws for a variable that has no value. */
export function interpolate(query: string, { fromMs, toMs, intervalMs, variables }: Interpolation): string {
  return withVariables(query, { ...variables, __to: String(toMs) })
    .replaceAll('$timeFilter', `time >= ${fromMs}ms and time <= ${toMs}ms`)
    .replaceAll('$__interval_ms', String(intervalMs))
    .replaceAll('$__interval', `${intervalMs / 1000}s`);
}

/** See `placeholder`. */
export function withVariables(text: string, variables: Interpolation['variables']): string {
  return text.replace(/\$\{(\w+)(?::(\w+))?\}/g, (_, name: string, format: string | undefined) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`the variable ${name} has no value, in: ${text}`);
    if (format === 'regex') return inRegex(value);
    if (format === 'percentencode') return encodeURIComponent(String(value));
    if (typeof value !== 'string') throw new Error(`several values of ${name} need a format, in: ${text}`);
    return value;
  });
}

function inRegex(value: string | readonly string[]): string {
  const texts = (typeof value === 'string' ? [value] : value).map((text) => text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&'));
  return texts.length === 1 ? (texts[0] ?? '') : `(${texts.join('|')})`;
}

/** The values that a variable offers, from the rows of its query: its regular expression picks the first group, or the whole. */
export function optionsOf({ regex = '' }: VariableModel, rows: readonly string[]): readonly string[] {
  const pattern = regex === '' ? /.*/ : new RegExp(regex.slice(1, regex.lastIndexOf('/')));
  const found = rows.flatMap((row) => {
    const match = pattern.exec(row);
    return match === null ? [] : [match[1] ?? row];
  });
  return [...new Set(found)];
}

/** Every variable of a dashboard with the value that it has when the dashboard is opened. `ask` runs an InfluxQL query. */
export async function openedWith(
  { templating }: Dashboard,
  ask: (query: string) => Promise<readonly string[]>,
): Promise<Interpolation['variables']> {
  const values: Record<string, string | readonly string[]> = {};
  for (const variable of templating.list ?? []) {
    if (variable.type !== 'query') {
      values[variable.name] = variable.allValue ?? String(variable.query ?? '');
      continue;
    }
    const options = optionsOf(variable, await ask(withVariables(String(variable.query), values)));
    if (options.length === 0) throw new Error(`the variable ${variable.name} offers nothing`);
    if (variable.includeAll !== true) values[variable.name] = options[0] ?? '';
    else values[variable.name] = variable.allValue ?? (variable.multi === true ? options : (options[0] ?? ''));
  }
  return values;
}
