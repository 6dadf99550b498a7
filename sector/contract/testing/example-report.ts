import { generateKey, kidOf } from '../keys.ts';
import type { ReportContent, Sharing, UnsignedReport } from '../report.ts';

/** A garment plant's day, for tests: 20 of 25 machines, OEE 0.67375, half of the rules' interesting fields filled. */
export const exampleContent: ReportContent = {
  contract: 'vn.sector.production-report',
  contractVersion: '1.0.0',
  reportId: '0197f0c2-7c1e-7a55-8f0e-2f0b8b4f0a01',
  revision: 1,
  status: 'provisional',
  issuedAt: '2026-03-02T08:00:00+07:00',
  reporter: { enterpriseId: '0999999983', establishmentId: 'nm-01', provinceCode: '79', provinceScheme: 'VN-ADM-2025' },
  activity: { scheme: 'VSIC2025', code: '1410' },
  period: { from: '2026-03-01T00:00:00+07:00', to: '2026-03-02T00:00:00+07:00', duration: 'P1D', timeZone: 'Asia/Ho_Chi_Minh' },
  coverage: {
    machinesTotal: 25,
    machinesInstrumented: 20,
    secondsExpected: 1_728_000,
    secondsObserved: 1_692_000,
    outputMeasuredRatio: '0.92',
    energyMeasuredRatio: '1',
  },
  machines: {
    secondsByState: {
      running: 864_000,
      setup: 72_000,
      idle: 108_000,
      fault: 72_000,
      maintenance: 36_000,
      stopped: 36_000,
      notScheduled: 504_000,
      unknown: 36_000,
    },
    downtimeByReason: [
      { reason: 'grid_outage', seconds: 41_000, events: 2 },
      { reason: 'breakdown', seconds: 72_000, events: 6 },
    ],
  },
  production: {
    output: [
      {
        productScheme: 'VCPA2018',
        productCode: '1410002',
        unit: 'H87',
        produced: '19800',
        good: '19404',
        scrap: '198',
        rework: '198',
        idealSeconds: 792_000,
        idealSecondsGood: 776_160,
        ratedCapacity: '40000',
        origin: 'measured',
      },
    ],
    kpi: {
      pbtSeconds: 1_152_000,
      aptSeconds: 864_000,
      auptSeconds: 936_000,
      adetSeconds: 72_000,
      idealSeconds: 792_000,
      idealSecondsGood: 776_160,
      failureEvents: 6,
      ttrSeconds: 72_000,
      tbfSeconds: 936_000,
    },
  },
  energy: [
    { carrier: 'electricity_grid', unit: 'KWH', quantity: '4120.5', origin: 'measured' },
    { carrier: 'diesel', unit: 'LTR', quantity: '60', origin: 'declared' },
  ],
  quality: { flags: [{ path: '/energy/1/quantity', obsStatus: 'E', note: 'manual_entry' }] },
  lineage: { agent: 'edge/0.1.0', sourceHash: `sha-256:${'5'.repeat(64)}` },
};

const sharing: Sharing = {
  policyId: 'urn:policy:0999999983:nm-01:sector',
  policyVersion: 3,
  policyDigest: `sha-256:${'a'.repeat(64)}`,
  legalBasis: 'contract',
  agreementId: 'urn:agreement:2026-0012',
  purposes: ['sector_statistics', 'energy_efficiency', 'benchmark_return'],
};

export const exampleReport: UnsignedReport = { ...exampleContent, sharing };

/** The moment at which the example arrives, ms UTC. */
export const exampleNowMs = Date.parse('2026-03-02T09:00:00+07:00');

/** A new key of the example's enterprise. */
export function exampleKey(name = 'k1') {
  return { kid: kidOf(exampleContent.reporter.enterpriseId, name), ...generateKey() };
}
