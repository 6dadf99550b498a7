import { type AlertSpec, alertSpecs } from './alert-spec.ts';
import { uidOf } from './dashboard-spec.ts';
import { dataSources, queryModel } from './data-sources.ts';
import type { Language } from './language.ts';
import type { Target } from './panel-spec.ts';

const expressions = { type: '__expr__', uid: '__expr__' } as const;
const wholeRange = { from: 0, to: 0 };

/** A file of Grafana's alert provisioning with the rules over one data source. */
export function alertFile(source: Target['source'], language: Language) {
  const rules = alertSpecs.filter((spec) => spec.source === source).map((spec) => alertRule(spec, language));
  return { apiVersion: 1, groups: [{ orgId: 1, name: `nhip-${source}`, folder: 'Nhịp', interval: '1m', rules }] };
}

/** A: the query; B: its last value, by series; C: compared with the limit. */
export function alertRule(
  { uid, title, summary, source, query, rangeS, alertsWhen, forText, severity, noData, panel }: AlertSpec,
  language: Language,
) {
  const model = { ...queryModel({ source, query }, 'A'), intervalMs: 60_000, maxDataPoints: 43_200 };
  const reduce = { refId: 'B', datasource: expressions, type: 'reduce', expression: 'A', reducer: 'last', settings: { mode: 'dropNN' } };
  const conditions = [{ evaluator: { type: alertsWhen.is, params: [alertsWhen.than] } }];
  const threshold = { refId: 'C', datasource: expressions, type: 'threshold', expression: 'B', conditions };
  const [board, panelId] = panel;
  const dashboardUid = uidOf(board, language);
  return {
    uid,
    title: title[language],
    condition: 'C',
    data: [
      { refId: 'A', relativeTimeRange: { from: rangeS, to: 0 }, datasourceUid: dataSources[source].uid, model },
      { refId: 'B', relativeTimeRange: wholeRange, datasourceUid: expressions.uid, model: reduce },
      { refId: 'C', relativeTimeRange: wholeRange, datasourceUid: expressions.uid, model: threshold },
    ],
    dashboardUid,
    panelId,
    noDataState: noData,
    // A query that cannot be asked is as bad as a bad answer where silence is the fault; elsewhere one rule is enough to say so.
    execErrState: noData === 'Alerting' ? 'Alerting' : 'KeepLast',
    for: forText,
    annotations: { summary: summary[language], __dashboardUid__: dashboardUid, __panelId__: String(panelId) },
    labels: { severity, product: 'nhip' },
    isPaused: false,
  };
}
