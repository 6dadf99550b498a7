import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasInfluxd } from '../../test/harness/influxd.ts';
import { boards } from './boards/registry.ts';
import { buildDashboard } from './build-dashboard.ts';
import { type Interpolation, interpolate, openedWith } from './testing/grafana-macros.ts';
import { type InfluxFixture, startInfluxFixture } from './testing/influx-fixture.ts';
import { fromMs, toMs } from './testing/plant-history.ts';

/** Queries that may rightly return nothing, by dashboard and panel, with the reason. */
const mayBeEmpty: Readonly<Record<string, string>> = {};
/** Columns that may be empty in every row, with the reason. */
const emptyColumns: Readonly<Record<string, string>> = {
  stopped: 'no simulated machine reports it',
  maintenance: 'rare: perhaps not within these ten hours of one machine',
  plcUnreachable: 'the simulated PLCs always answer',
  agentOffline: 'its cut is a minute: a machine that changed its state in it shows that state; figures.test.ts has one that did not',
};
const queried = boards.filter(({ panels }) => panels.some(({ targets }) => targets.some(({ source }) => source === 'influx')));

const options = { nhipUrl: 'http://127.0.0.1:8080' };
let influx: InfluxFixture;

beforeAll(async () => {
  if (hasInfluxd) influx = await startInfluxFixture();
});
afterAll(() => influx?.close());

describe.skipIf(!hasInfluxd).each(queried)('queries of $id (needs influxd: apt-get install influxdb)', (board) => {
  let variables: Interpolation['variables'];
  beforeAll(async () => {
    variables = await openedWith(buildDashboard(board, 'vi', options), influx.values);
  });

  const targets = board.panels.flatMap((panel) =>
    panel.targets
      .filter(({ source }) => source === 'influx')
      .map((target, i) => ({ ...target, panel, name: `${board.id}/${panel.id}/${i}` })),
  );
  it.each(targets)('$name returns rows', async ({ query, panel, name }) => {
    const rows = await influx.ask(interpolate(query, { fromMs: fromMs + 14_879, toMs: toMs - 3_217, intervalMs: 60_000, variables }));
    if (mayBeEmpty[name] === undefined) expect(rows.length).toBeGreaterThan(0);
    // A table whose rows Grafana counts has other columns.
    const columns = panel.countBy === undefined ? (panel.columns ?? []) : [];
    for (const column of columns.map(({ field }) => (field === 'Time' ? 'time' : field))) {
      expect(Object.keys(rows[0] ?? {})).toContain(column);
      const hasValue = rows.some((row) => row[column] !== null);
      if (emptyColumns[column] === undefined) expect(hasValue, column).toBe(true);
    }
  });
});
