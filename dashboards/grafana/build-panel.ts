import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as text from '@grafana/grafana-foundation-sdk/text';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { dataSources, queryModel } from './data-sources.ts';
import type { Language, Local } from './language.ts';
import { machineLink } from './links.ts';
import type { Column, Naming, PanelSpec, Target } from './panel-spec.ts';
import { tableTransformations } from './table-columns.ts';
import { valueMappings } from './value-mappings.ts';
import { colours } from './words.ts';

type PanelBuilder = bargauge.PanelBuilder | stat.PanelBuilder | statetimeline.PanelBuilder | table.PanelBuilder | timeseries.PanelBuilder;

/** Grafana's JSON of a panel, at a place of the dashboard's grid. */
export function buildPanel(spec: PanelSpec, language: Language, place: { readonly x: number; readonly y: number }): dashboard.Panel {
  const gridPos = { ...place, w: spec.width, h: spec.height };
  const title = spec.title[language];
  const description = spec.description[language];
  if (spec.kind === 'text') {
    const panel = new text.PanelBuilder().mode(text.TextMode.Markdown).content(spec.content?.[language] ?? '');
    return { ...panel.id(spec.id).title(title).description(description).build(), gridPos };
  }
  const panel = visualization(spec);
  panel.id(spec.id);
  panel.title(title);
  panel.description(description);
  panel.unit(textOf(spec.unit, language));
  panel.datasource(dataSources[spec.targets[0]?.source ?? 'influx']);
  panel.noValue(spec.noValue?.[language] ?? { vi: 'Không có dữ liệu', en: 'No data' }[language]);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.min !== undefined) panel.min(spec.min);
  if (spec.max !== undefined) panel.max(spec.max);
  if (spec.interval !== undefined) panel.interval(spec.interval);
  if (spec.mapping !== undefined) panel.mappings(valueMappings(spec.mapping, language));
  panel.thresholds(thresholdsOf(spec));
  if (spec.mapping === undefined && spec.thresholds === undefined && (spec.kind === 'timeseries' || spec.kind === 'barGauge'))
    panel.colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic));
  for (const target of targetsOf(spec.targets, language)) panel.withTarget(target);
  if (spec.naming !== undefined) panel.withTransformation(shortNames(spec.naming));
  if (spec.naming === 'machine' || spec.naming === 'alarm') panel.dataLinks([machineLink(language, 'series')]);
  for (const transformation of tableTransformations(spec)) panel.withTransformation(transformation);
  for (const column of spec.columns ?? []) panel.overrideByName(column.field, columnProperties(column, language));
  return { ...panel.build(), gridPos };
}

function visualization(spec: PanelSpec): PanelBuilder {
  switch (spec.kind) {
    case 'stat':
      return new stat.PanelBuilder()
        .reduceOptions(
          new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields(spec.textField === undefined ? '' : `/^${spec.textField}$/`),
        )
        .graphMode(common.BigValueGraphMode.None)
        .colorMode(common.BigValueColorMode.Value);
    case 'stateTimeline':
      return new statetimeline.PanelBuilder().mergeValues(true).showValue(common.VisibilityMode.Auto).rowHeight(0.9).fillOpacity(85);
    case 'barGauge':
      return new bargauge.PanelBuilder()
        .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
        .orientation(common.VizOrientation.Horizontal)
        .displayMode(common.BarGaugeDisplayMode.Basic);
    case 'table':
      return new table.PanelBuilder();
    default:
      return trend(spec);
  }
}

function trend({ style = 'line' }: PanelSpec): timeseries.PanelBuilder {
  const panel = new timeseries.PanelBuilder()
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending));
  if (style === 'line' || style === 'area')
    return panel
      .lineWidth(1)
      .fillOpacity(style === 'area' ? 15 : 0)
      .spanNulls(false);
  panel.drawStyle(common.GraphDrawStyle.Bars).fillOpacity(70).lineWidth(0);
  return style === 'bars' ? panel : panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
}

function thresholdsOf({ thresholds = [{ from: null, colour: colours.run }] }: PanelSpec): dashboard.ThresholdsConfigBuilder {
  const steps = thresholds.map(({ from, colour }) => ({ value: from, color: colour }));
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps);
}

function targetsOf(targets: readonly Target[], language: Language): readonly Builder<Dataquery>[] {
  return targets.map(({ alias, ...target }, i) => {
    const refId = String.fromCharCode(65 + i);
    const model = queryModel({ ...target, ...(alias === undefined ? {} : { alias: textOf(alias, language) }) }, refId);
    return { build: () => ({ ...model, _implementsDataqueryVariant: () => undefined }) };
  });
}

/** The names of series say the whole id of a machine, because a link needs it; people read the last part. */
function shortNames(naming: Naming): dashboard.DataTransformerConfig {
  const rules: Readonly<Record<Naming, readonly [string, string]>> = {
    machine: ['^.*/([^/]+)$', '$1'],
    alarm: ['^.*/([^/]+) · Alarm/(.*)$', '$1 · $2'],
    edge: ['^[^/]+/([^/]+)/_node$', '$1'],
  };
  const [regex, renamePattern] = rules[naming];
  return { id: 'renameByRegex', options: { regex, renamePattern } };
}

function columnProperties({ title, unit, decimals, mapping, link, width }: Column, language: Language): dashboard.DynamicConfigValue[] {
  return [
    { id: 'displayName', value: title[language] },
    ...(unit === undefined ? [] : [{ id: 'unit', value: textOf(unit, language) }]),
    ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(mapping === undefined
      ? []
      : [
          { id: 'mappings', value: valueMappings(mapping, language) },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ]),
    ...(link === undefined ? [] : [{ id: 'links', value: [machineLink(language, 'row').build()] }]),
  ];
}

function textOf(text: string | Local, language: Language): string {
  return typeof text === 'string' ? text : text[language];
}
