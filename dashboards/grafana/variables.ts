import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { metricNames } from '@nhip/core/wire/vocabulary';
import type { VariableName } from './dashboard-spec.ts';
import { dataSources } from './data-sources.ts';
import type { Language } from './language.ts';
import { nhipVariable } from './links.ts';
import { placeholder } from './placeholder.ts';
import type { PlantLines } from './plant-lines.ts';

/**
 * Template variables. A line is not part of what the store keeps; without a plant model the edge agents stand for the lines. Its value goes
 * into a regular expression as it is: a part of a machine's id, or several with | between them.
 */
const ofLine = `machine =~ /(^|\\/)(${placeholder('line', 'raw')})(\\/|$)/`;

const all = { selected: true, text: 'All', value: '$__all' };

/** Queries of the variables, without those that are no queries. */
export const variableQueries: Readonly<Record<VariableName, string>> = {
  line: `SHOW TAG VALUES FROM samples WITH KEY = machine WHERE metric = '${metricNames.state}'`,
  machines: `SHOW TAG VALUES FROM samples WITH KEY = machine WHERE metric = '${metricNames.state}' AND ${ofLine}`,
  machine: `SHOW TAG VALUES FROM samples WITH KEY = machine WHERE metric = '${metricNames.state}' AND ${ofLine}`,
  meters: `SHOW TAG VALUES FROM samples WITH KEY = machine WHERE metric = '${metricNames.energyImport}'`,
  everything: 'SHOW TAG VALUES FROM samples WITH KEY = machine',
  metrics: `SHOW TAG VALUES FROM samples WITH KEY = metric WHERE machine =~ /^${placeholder('machine', 'regex')}$/`,
};

/** What of a row of the query is the value: regular expressions of JavaScript, as Grafana runs them. */
export const variableRegexes: Readonly<Partial<Record<VariableName, string>>> = {
  line: '/^[^/]+\\/([^/]+)\\//',
  everything: '/^(?:(?!\\/_node$).)+$/',
  metrics: '/^(?!State|Count\\/|Alarm\\/|Job\\/|Connection$|Mode$|Cycle\\/|Properties\\/).+$/',
};

export function buildVariables(
  names: readonly VariableName[],
  language: Language,
  options: { readonly nhipUrl: string; readonly lines: PlantLines | undefined },
): readonly Builder<dashboard.VariableModel>[] {
  const labels = {
    vi: { line: options.lines === undefined ? 'Bộ thu' : 'Dây chuyền', machine: 'Máy', metrics: 'Đại lượng', nhip: 'Địa chỉ Nhịp' },
    en: { line: options.lines === undefined ? 'Edge agent' : 'Line', machine: 'Machine', metrics: 'Metric', nhip: 'Address of Nhịp' },
  }[language];
  const query = (name: VariableName, as: string, label: string): dashboard.QueryVariableBuilder => {
    const variable = new dashboard.QueryVariableBuilder(as)
      .label(label)
      .datasource(dataSources.influx)
      .query(variableQueries[name])
      .definition(variableQueries[name])
      .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
      .sort(dashboard.VariableSort.AlphabeticalCaseInsensitiveAsc);
    const regex = variableRegexes[name];
    return regex === undefined ? variable : variable.regex(regex);
  };
  const built = names.map((name): Builder<dashboard.VariableModel> => {
    switch (name) {
      case 'line':
        return options.lines === undefined
          ? query('line', 'line', labels.line).includeAll(true).allValue('.*').current(all)
          : new dashboard.CustomVariableBuilder('line')
              .label(labels.line)
              .values(options.lines.query(language))
              .includeAll(true)
              .allValue('.*')
              .current(all);
      case 'machine':
        return query('machine', 'machine', labels.machine);
      case 'metrics':
        return query('metrics', 'metric', labels.metrics).multi(true).includeAll(true).current(all);
      default:
        return query(name, 'machine', labels.machine).multi(true).includeAll(true).current(all);
    }
  });
  const address = new dashboard.TextBoxVariableBuilder(nhipVariable)
    .label(labels.nhip)
    .defaultValue(options.nhipUrl)
    .current({ selected: true, text: options.nhipUrl, value: options.nhipUrl });
  return [...built, address];
}
