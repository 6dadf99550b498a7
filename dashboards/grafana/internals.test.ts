import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addToken } from '@nhip/live/auth/token-file';
import { adminPassword, lossOf, type Rig, startRig } from '@nhip/live/testing/rig';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../test/harness/until.ts';
import { alertSpecs } from './alert-spec.ts';
import { internals } from './boards/internals.ts';
import { hasPrometheus, type PrometheusServer, startPrometheus } from './testing/prometheus-server.ts';

const queries = [
  ...internals.panels.flatMap(({ targets }) => targets.map(({ query, alias }) => ({ query, legend: JSON.stringify(alias ?? '') }))),
  ...alertSpecs.filter(({ source }) => source === 'prometheus').map(({ query }) => ({ query, legend: '' })),
];

/** Queries that may rightly return nothing, with the reason. */
const noRows: Readonly<Record<string, string>> = {
  nhip_edge_outbox_records: 'no edge agent is connected to this service',
};

/** Labels that Prometheus adds to what it scrapes. */
const added = ['instance', 'job'];
/** Families that may have no sample, with the reason. Their labels are those that the service gives them. */
const mayBeEmpty: Readonly<Record<string, readonly string[]>> = {
  // Only edge agents that report their outbox have it; this service has none.
  nhip_edge_outbox_records: ['edge'],
};

let rig: Rig;
const families = new Map<string, Set<string>>();

beforeAll(async () => {
  rig = await startRig({
    history: [['hoalac/press/M01', 'Count/Good', Date.now(), 1]],
    losses: [lossOf({}), lossOf({ reason: 'deadLettered' })],
  });
  // Something for the counters of the live service to count.
  await fetch(`${rig.url}/health/live`);
  const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;
  const text = await until('the losses are counted', async () => {
    const answer = await fetch(`${rig.url}/metrics`, { headers: { authorization } });
    const body = await answer.text();
    return answer.status === 200 && body.includes('nhip_edge_lost_samples_total{') ? body : undefined;
  });
  for (const line of text.split('\n')) {
    const [, type] = /^# TYPE (\w+) /.exec(line) ?? [];
    if (type !== undefined) families.set(type, new Set(mayBeEmpty[type] ?? []));
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) families.get(name)?.add(label);
  }
});
afterAll(() => rig.close());

describe('queries to Prometheus', () => {
  it.each(queries)('$query names what /metrics of the live service really has', ({ query, legend }) => {
    const names = [...query.matchAll(/\b((?:nhip|live)_\w+)/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !families.has(name))).toEqual([]);
    const labels = new Set(names.flatMap((name) => [...(families.get(name) ?? []), ...added]));
    const used = [
      ...[...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
      ...[...query.matchAll(/[{,]\s*(\w+)=~?"/g)].map(([, label = '']) => label),
      ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
    ];
    expect(used.filter((label) => !labels.has(label))).toEqual([]);
  });
});

describe.skipIf(!hasPrometheus)('queries to a real Prometheus (needs it: apt-get install prometheus)', () => {
  let dir = '';
  let server: PrometheusServer;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'nhip-prometheus-'));
    const token = await addToken(rig.dataDir, { name: 'prometheus', scope: 'metrics', expiresMs: null }, Date.now());
    server = await startPrometheus(dir, new URL(rig.url).host, token);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true });
  });

  it.each(queries)('$query returns rows', async ({ query }) => {
    // What Grafana takes for four scrapes.
    const rows = await server.ask(query.replaceAll('$__rate_interval', '4s'));
    if (noRows[query] === undefined) expect(rows.length).toBeGreaterThan(0);
  });
});
