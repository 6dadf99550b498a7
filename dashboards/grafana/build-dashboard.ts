import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { buildPanel } from './build-panel.ts';
import { type DashboardSpec, uidOf } from './dashboard-spec.ts';
import type { Language } from './language.ts';
import { dashboardsLink, machineLink, pageLink } from './links.ts';
import type { PlantLines } from './plant-lines.ts';
import { buildVariables } from './variables.ts';

export interface DashboardOptions {
  /** Where the browser of whoever looks finds Nhịp; the dashboards' variable begins with it. */
  readonly nhipUrl: string;
  /** Undefined: edge agents stand for lines. */
  readonly lines?: PlantLines | undefined;
}

const columns = 24;

/** Grafana's classic JSON (schema version 42), which Grafana 10 to 13 read. Panels follow each other from left to right, row by row. */
export function buildDashboard(spec: DashboardSpec, language: Language, { nhipUrl, lines }: DashboardOptions): dashboard.Dashboard {
  const tag = `nhip-${language}`;
  const builder = new dashboard.DashboardBuilder(spec.title[language])
    .uid(uidOf(spec.id, language))
    .description(spec.description[language])
    .tags(['nhip', tag])
    .timezone('browser')
    .time({ from: spec.from, to: 'now' })
    .refresh(spec.refresh)
    .readonly()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables([...buildVariables(spec.variables, language, { nhipUrl, lines })])
    .link(dashboardsLink({ vi: 'Các bảng khác của Nhịp', en: 'Other dashboards of Nhịp' }[language], tag));
  if (spec.variables.includes('machine')) builder.link(machineLink(language, 'variable'));
  if (spec.page !== undefined) builder.link(pageLink(spec.page.title[language], spec.page.path));
  return { ...builder.build(), panels: placed(spec, language) };
}

function placed(spec: DashboardSpec, language: Language): dashboard.Panel[] {
  let [x, y] = [0, 0];
  return spec.panels.map((panel) => {
    if (x + panel.width > columns) throw new Error(`${spec.id}: panel ${panel.id} does not fit into its row`);
    const built = buildPanel(panel, language, { x, y });
    x += panel.width;
    if (x === columns) {
      x = 0;
      y += panel.height;
    }
    return built;
  });
}
