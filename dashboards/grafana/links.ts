import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type { Language } from './language.ts';
import { placeholder } from './placeholder.ts';

/** Variable of every dashboard with the address of Nhịp, without a slash at its end. */
export const nhipVariable = 'nhip';

const openMachine = { vi: 'Mở máy trong Nhịp', en: 'Open the machine in Nhịp' } as const;

/** To the machine page of the web board, `/m/<id>`: of the series, of the table row, or of the dashboard's variable. */
export function machineLink(language: Language, of: 'series' | 'row' | 'variable'): dashboard.DashboardLinkBuilder {
  const ids = {
    series: placeholder('__field.labels.machine', 'percentencode'),
    row: placeholder('__data.fields.machine', 'percentencode'),
    variable: placeholder('machine', 'percentencode'),
  };
  return new dashboard.DashboardLinkBuilder(openMachine[language])
    .type(dashboard.DashboardLinkType.Link)
    .icon('external link')
    .url(`${placeholder(nhipVariable)}/m/${ids[of]}`)
    .targetBlank(true);
}

/** To a page of the web board. */
export function pageLink(title: string, path: string): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder(title)
    .type(dashboard.DashboardLinkType.Link)
    .icon('external link')
    .url(`${placeholder(nhipVariable)}${path}`)
    .targetBlank(true);
}

/** A list of the dashboards that carry the tag, with time range and variables taken along. */
export function dashboardsLink(title: string, tag: string): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder(title)
    .type(dashboard.DashboardLinkType.Dashboards)
    .tags([tag])
    .asDropdown(true)
    .keepTime(true)
    .includeVars(true);
}
