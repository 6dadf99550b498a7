import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportBytes } from '@nhip/sector/contract/digest';
import { enrolOver, type HttpFactory } from '@nhip/sector/platform/testing/http-factory';
import { signedSample } from '@nhip/sector/platform/testing/sample-report';
import { checkout, startProcess } from '../harness/nhip.ts';
import { startPostgres } from '../harness/postgres.ts';
import { type Bench, type Figure, quantile } from './figures.ts';
import { runApart } from './run-apart.ts';
import type { IntakeMeasured, IntakeTask } from './sector-intake-work.ts';

const plants = Array.from({ length: 500 }, (_, i) => `nm-${i}`);
const script = join(checkout, 'sector/platform/testing/server-process.ts');

interface Way {
  readonly name: string;
  readonly perRequest: number;
  readonly inFlight: number;
}

const ways: readonly Way[] = [
  { name: 'one report per request, 32 at a time', perRequest: 1, inFlight: 32 },
  { name: 'batches of 100, 4 at a time', perRequest: 100, inFlight: 4 },
];

export const sectorIntake: Bench = {
  name: 'sector-intake',
  summary: 'Signed reports accepted by the sector server: verified, stored, logged, receipted; on PostgreSQL and embedded',
  async run({ runs, isShort }) {
    const reports = isShort ? 400 : 2000;
    const folder = mkdtempSync(join(tmpdir(), 'nhip-bench-sector-'));
    chmodSync(folder, 0o755);
    const postgres = await startPostgres(folder);
    const figures: Figure[] = [];
    try {
      for (const [type, database] of [
        ['PostgreSQL 15', { type: 'postgres', url: postgres.url }] as const,
        ['embedded (PGlite)', { type: 'embedded' }] as const,
      ]) {
        const data = join(folder, `data-${database.type}`);
        const server = startProcess([process.execPath, '--import', 'tsx', script, data, JSON.stringify({ port: 0, database })]);
        try {
          const url = `http://127.0.0.1:${(await server.ready).http}`;
          const factory = await enrolOver(url, readFileSync(join(data, 'operator-token'), 'utf8').trim(), '0999999983', plants);
          const next = reportsOf(factory);
          for (const way of ways)
            figures.push(...(await measure(type, way, { url, factory, next, reports, runs, bodiesFile: join(folder, 'bodies') })));
        } finally {
          await server.stop();
        }
      }
    } finally {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    }
    return {
      figures,
      notes: [
        `${reports.toLocaleString('en-GB')} different reports of ${plants.length} plants of one enterprise per run; the tables grow from run to run.`,
        'Server, database and the program that sends share the two processors; each accepted report is on disk (fsync) before its receipt is sent.',
        'One run that is not counted comes first. Signing by the factory is not measured.',
      ],
    };
  },
};

async function measure(
  type: string,
  way: Way,
  at: {
    readonly url: string;
    readonly factory: HttpFactory;
    readonly next: () => string;
    readonly reports: number;
    readonly runs: number;
    readonly bodiesFile: string;
  },
): Promise<readonly Figure[]> {
  const rates: number[] = [];
  const slow: number[] = [];
  for (let run = -1; run < at.runs; run++) {
    const bodies = Array.from({ length: at.reports / way.perRequest }, () => {
      const items = Array.from({ length: way.perRequest }, at.next);
      return way.perRequest === 1 ? (items[0] ?? '') : `[${items.join(',')}]`;
    });
    writeFileSync(at.bodiesFile, bodies.join('\n'));
    const token = await at.factory.login(at.url);
    const task: IntakeTask = { url: at.url, token, bodiesFile: at.bodiesFile, inFlight: way.inFlight, reports: at.reports };
    const { seconds, latenciesMs } = await runApart<IntakeMeasured>('./sector-intake-work.ts', task);
    if (run < 0) continue;
    rates.push(at.reports / seconds);
    slow.push(quantile(latenciesMs, 0.99));
  }
  const target = type.startsWith('PostgreSQL') ? { target: { kind: 'atLeast', value: 500 } as const } : {};
  return [
    { what: `${type}, ${way.name}`, unit: 'reports/s', values: rates, ...target },
    { what: `${type}, ${way.name}: p99 of a request`, unit: 'ms', values: slow },
  ];
}

/** Never the same report twice: each plant and day once. */
function reportsOf({ enterpriseId, key }: HttpFactory): () => string {
  let made = 0;
  return () => {
    const number = made++;
    const establishmentId = plants[number % plants.length] ?? '';
    return reportBytes(signedSample({ enterpriseId, establishmentId, day: Math.floor(number / plants.length) }, key)).toString();
  };
}
