import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, reportBytes } from '../contract/digest.ts';
import type { ProductionReport } from '../contract/report.ts';
import { signedSample } from './testing/sample-report.ts';
import { openTestDatabase, type TestDatabase } from './testing/test-database.ts';
import { createTestPlatform, taxCodes } from './testing/test-platform.ts';

/** `NHIP_SECTOR_REPLAY=10000` for the figure of the acceptance; a few hundred find the same mistakes. */
const count = Number(process.env.NHIP_SECTOR_REPLAY ?? 300);
const times = 3;
const batch = 100;

describe('replay', () => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await openTestDatabase();
  }, 120_000);
  afterAll(() => opened.remove());

  it(`${count} reports, each ${times} times in random order, are ${count} series with one receipt each`, { timeout: 600_000 }, async () => {
    const server = await createTestPlatform(opened.database, Date.parse('2060-01-01T00:00:00Z'));
    const factory = await server.enrol(taxCodes[0]);
    const reports = Array.from({ length: count }, (_, day) =>
      signedSample({ enterpriseId: factory.enterpriseId, establishmentId: 'nm-01', day }, factory.key),
    );
    const order = shuffled(Array.from({ length: times }, () => reports).flat());
    const receipts = new Map<ProductionReport, Set<string>>();
    const statuses = new Map<number, number>();
    for (let from = 0; from < order.length; from += batch) {
      const part = order.slice(from, from + batch);
      const { json } = await server.call('POST', '/v1/reports', {
        as: factory.token,
        body: `[${part.map((each) => reportBytes(each)).join(',')}]`,
      });
      for (const [i, { status, receipt }] of (json.results as { status: number; receipt: object }[]).entries()) {
        const report = part[i] as ProductionReport;
        receipts.set(report, (receipts.get(report) ?? new Set()).add(JSON.stringify(receipt)));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
    expect(Object.fromEntries(statuses)).toEqual({ 201: count, 200: count * (times - 1) });
    expect([...receipts.values()].every((each) => each.size === 1)).toBe(true);
    const [held] = await opened.database.query(
      'SELECT count(*) AS reports, count(DISTINCT series_key) AS series, count(DISTINCT digest) AS digests FROM report',
    );
    expect(held).toEqual({ reports: count, series: count, digests: count });
    const rows = await opened.database.query<{ digest: string }>('SELECT digest FROM report');
    expect(new Set(rows.map(({ digest }) => digest))).toEqual(new Set(reports.map(digestOf)));
  });
});

function shuffled<Item>(items: readonly Item[]): Item[] {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j] as Item, mixed[i] as Item];
  }
  return mixed;
}
