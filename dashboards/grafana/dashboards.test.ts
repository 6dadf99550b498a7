import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { metricNames } from '@nhip/core/wire/vocabulary';
import { describe, expect, it } from 'vitest';
import { alertSpecs } from './alert-spec.ts';
import { boards } from './boards/registry.ts';
import { buildDashboard } from './build-dashboard.ts';
import { dataSources } from './data-sources.ts';
import { languages } from './language.ts';
import { readSchemas } from './testing/panel-schemas.ts';
import { mappedValues } from './value-mappings.ts';
import { connectionLooks, stateLooks } from './words.ts';

const schemas = readSchemas();
const built = languages.flatMap((language) =>
  boards.map((board) => {
    const dashboard = plain(buildDashboard(board, language, { nhipUrl: 'http://127.0.0.1:8080' }));
    const panels = (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row');
    return { name: dashboard.uid ?? '', language, board, dashboard, panels };
  }),
);

/** As it is in the file. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

const knownUnits: ReadonlySet<unknown> = new Set(Object.values(units));

function unitIn(properties: readonly { readonly id: string; readonly value?: unknown }[]): readonly unknown[] {
  return properties.filter(({ id }) => id === 'unit').map(({ value }) => value);
}

describe.each(built)('$name', ({ dashboard, panels, board, language }) => {
  it('is what the schemas of Grafana allow', () => {
    expect(schemas.dashboard(dashboard)).toEqual([]);
    for (const panel of panels) expect(schemas.panel(panel), panel.title).toEqual([]);
  });

  it('has a title, a description, a unit and a data source in every panel', () => {
    expect(dashboard.title).not.toBe('');
    expect(dashboard.description).not.toBe('');
    for (const panel of panels) {
      expect(panel.title?.trim(), `title of ${panel.id}`).toBeTruthy();
      expect(panel.description?.trim(), `description of ${panel.title}`).toBeTruthy();
      if (panel.type === 'text') continue;
      const unitsOf = [
        panel.fieldConfig?.defaults.unit,
        ...(panel.fieldConfig?.overrides ?? []).flatMap(({ properties }) => unitIn(properties)),
      ];
      // After `suffix:` Grafana sets a space of its own.
      for (const unit of unitsOf)
        expect(knownUnits.has(String(unit)) || /^suffix:\S/.test(String(unit)), `${unit} of ${panel.title}`).toBe(true);
      const known = Object.values(dataSources);
      expect(known).toContainEqual(panel.datasource);
      expect(panel.targets?.length, `queries of ${panel.title}`).toBeGreaterThan(0);
      for (const target of panel.targets ?? []) expect(target).toMatchObject({ datasource: panel.datasource, refId: expect.any(String) });
    }
  });

  it('says no time that is not relative, and is not editable where it is provisioned', () => {
    expect(dashboard.time).toMatchObject({ from: expect.stringMatching(/^now-\d+[hmd]$/), to: 'now' });
    expect(dashboard.editable).toBe(false);
    expect(JSON.stringify(dashboard)).not.toMatch(/\b20\d\d-\d\d-\d\d\b/);
  });

  it('fills its rows, and no panel lies upon another', () => {
    const cells = new Set<string>();
    let area = 0;
    for (const { gridPos } of panels) {
      const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {};
      area += w * h;
      for (let i = x; i < x + w; i++) for (let j = y; j < y + h; j++) cells.add(`${i} ${j}`);
      expect(x + w).toBeLessThanOrEqual(24);
    }
    const bottom = Math.max(...panels.map(({ gridPos }) => (gridPos?.y ?? 0) + (gridPos?.h ?? 0)));
    expect(cells.size).toBe(area);
    expect(area).toBe(24 * bottom);
  });

  it('defines every variable that it uses, and no other', () => {
    const names = (dashboard.templating.list ?? []).map(({ name }) => name);
    const text = JSON.stringify({ ...dashboard, templating: [] });
    const queries = (dashboard.templating.list ?? []).map(({ query }) => String(query)).join(' ');
    const used = new Set(
      [...`${text} ${queries}`.matchAll(/\$\{(\w+)(?::\w+)?\}/g)].flatMap(([, name = '']) => (name.startsWith('__') ? [] : [name])),
    );
    expect([...used].sort()).toEqual([...names].sort());
  });

  it('has ids that are its own', () => {
    expect(dashboard.uid).toBe(`nhip-${board.id}-${language}`);
    expect(dashboard.uid?.length).toBeLessThanOrEqual(40);
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Math.min(...ids.map(Number))).toBeGreaterThan(0);
  });
});

it('are the same in both languages but for their words', () => {
  const shape = (language: string) =>
    built
      .filter((one) => one.language === language)
      .map(({ panels }) =>
        panels.map(({ id, type, gridPos, targets }) => ({
          id,
          type,
          gridPos,
          queries: targets?.map((target) => plain(target) as object).map(queryOf),
        })),
      );
  expect(shape('en')).toEqual(shape('vi'));
  expect(new Set(built.map(({ dashboard }) => dashboard.uid)).size).toBe(built.length);
});

function queryOf(target: object): unknown {
  return 'query' in target ? target.query : 'expr' in target ? target.expr : undefined;
}

it('say every state, connection and loss in words', () => {
  expect(mappedValues('state')).toEqual(Object.keys(stateLooks));
  expect(mappedValues('connection')).toEqual(Object.keys(connectionLooks));
  for (const { vi, en } of [...Object.values(stateLooks), ...Object.values(connectionLooks)].map(({ text }) => text)) {
    expect(vi).not.toBe('');
    expect(en).not.toBe('');
  }
});

/** What a query may name: the same as what the store writes. */
const edgeMetrics = ['Outbox/PendingRecords', 'Outbox/Recorded', 'Outbox/Lost'];
it('name only metrics that have a fixed meaning', () => {
  const known: readonly string[] = [...Object.values(metricNames), ...edgeMetrics];
  for (const { query } of boards.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets))) {
    for (const [, name = ''] of query.matchAll(/metric = '([^']*)'/g)) expect(known).toContain(name);
  }
});

it('ask only in what InfluxDB 1.x, 2.x and 3 have in common, and always within a time', () => {
  const panels = boards.flatMap((board) => board.panels.flatMap(({ targets }) => targets));
  const queries = [...panels, ...alertSpecs].filter(({ source }) => source === 'influx').map(({ query }) => query);
  for (const query of queries) {
    expect(query).not.toMatch(/\b(SLIMIT|SOFFSET|INTO|CARDINALITY|SHOW SERIES)\b/i);
    // No regular expression on a field.
    expect(query).not.toMatch(/\b[vbsinq] [=!]~/);
    const bounds = query.match(/\$timeFilter|time <= \$\{__to\}ms/g) ?? [];
    expect(query.split('SELECT').slice(1).length).toBeLessThanOrEqual(bounds.length);
  }
});
