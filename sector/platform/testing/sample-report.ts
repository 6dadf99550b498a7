import { randomUUID } from 'node:crypto';
import { digestOf, reportBytes } from '../../contract/digest.ts';
import type { SigningKey } from '../../contract/keys.ts';
import { localTime } from '../../contract/period.ts';
import type { ProductionReport, UnsignedReport } from '../../contract/report.ts';
import { signReport } from '../../contract/signature.ts';

const dayMs = 86_400_000;

export interface SampleOptions {
  readonly enterpriseId: string;
  readonly establishmentId: string;
  /** Days since 1 January 2026: the period. */
  readonly day: number;
  readonly revision?: number;
  readonly produced?: number;
  readonly supersedes?: ProductionReport;
  /** Most of the day without data: W205. */
  readonly lowCoverage?: boolean;
}

/** Start of the days of sample reports, ms UTC. */
export const firstDayMs = Date.parse('2026-01-01T00:00:00+07:00');

/** A correct report of one machine for one day. */
export function sampleReport({
  enterpriseId,
  establishmentId,
  day,
  revision = 1,
  produced = 1000,
  supersedes,
  lowCoverage = false,
}: SampleOptions): UnsignedReport {
  const fromMs = firstDayMs + day * dayMs;
  return {
    contract: 'vn.sector.production-report',
    contractVersion: '1.0.0',
    reportId: randomUUID(),
    revision,
    ...(supersedes === undefined
      ? {}
      : { supersedes: { reportId: supersedes.reportId, digest: digestOf(supersedes) }, revisionReason: 'late_data' as const }),
    status: 'final',
    issuedAt: localTime(fromMs + dayMs + 3_600_000),
    reporter: { enterpriseId, establishmentId, provinceCode: '79', provinceScheme: 'VN-ADM-2025' },
    activity: { scheme: 'VSIC2025', code: '1410' },
    period: { from: localTime(fromMs), to: localTime(fromMs + dayMs), duration: 'P1D', timeZone: 'Asia/Ho_Chi_Minh', dayStart: '00:00' },
    sharing: {
      policyId: `urn:policy:${enterpriseId}:${establishmentId}:sector`,
      policyVersion: 1,
      policyDigest: `sha-256:${'9b'.repeat(32)}`,
      legalBasis: 'contract',
      purposes: ['sector_statistics'],
    },
    coverage: { machinesTotal: 1, machinesInstrumented: 1, secondsExpected: 86_400, secondsObserved: lowCoverage ? 43_200 : 86_000 },
    machines: {
      secondsByState: lowCoverage
        ? { running: 43_200, setup: 0, idle: 0, fault: 0, maintenance: 0, stopped: 0, notScheduled: 0, unknown: 43_200 }
        : { running: 43_200, setup: 3600, idle: 5400, fault: 3600, maintenance: 1800, stopped: 1800, notScheduled: 26_600, unknown: 400 },
    },
    production: {
      output: [
        {
          productScheme: 'VCPA2018',
          productCode: '1410002',
          unit: 'H87',
          produced: String(produced),
          good: String(produced - 10),
          origin: 'measured',
        },
      ],
    },
    energy: [{ carrier: 'electricity_grid', unit: 'KWH', quantity: '206.5', origin: 'measured' }],
    quality: { flags: [] },
  };
}

export function signedSample(options: SampleOptions, key: SigningKey): ProductionReport {
  return signReport(sampleReport(options), key);
}

/** Its bytes as they are sent. */
export function sampleBytes(options: SampleOptions, key: SigningKey): Buffer {
  return reportBytes(signedSample(options, key));
}
