import type { SharedProduct, SharingPolicy } from '../policy.ts';

/** The report product of the example policy: seconds, output by group of products, figures, energy; not why machines stood. */
export const exampleProduct: SharedProduct = {
  contract: 'vn.sector.production-report',
  enabled: true,
  minPeriod: 'P1D',
  minMachines: 3,
  delay: 'PT6H',
  holdForPreview: 'PT2H',
  include: ['/machines', '/production/output', '/production/kpi', '/energy', '/coverage', '/quality'],
  exclude: ['/machines/downtimeByReason'],
  transform: [
    { path: '/production/output/*/productCode', op: 'code_level', arg: 5 },
    { path: '/production/output/*/produced', op: 'round', arg: 3 },
  ],
  onwardSharing: 'aggregate_only',
  retention: 'P5Y',
};

/** A policy of the example's enterprise with one recipient, `sector-platform`. */
export function examplePolicy(product: Partial<SharedProduct> = {}): SharingPolicy {
  return {
    policyId: 'urn:policy:0999999983:nm-01:sector',
    version: 3,
    owner: { enterpriseId: '0999999983', approvers: ['giam-doc', 'phu-trach-du-lieu'], approvalsNeeded: 2 },
    validFrom: '2026-01-01T00:00:00+07:00',
    validTo: '2027-01-01T00:00:00+07:00',
    defaults: { effect: 'deny' },
    recipients: [
      {
        id: 'sector-platform',
        endpoint: { adapter: 'https', url: 'https://127.0.0.1:8443/v1', jurisdiction: 'VN' },
        legalBasis: 'contract',
        legalReference: '12/2026/HĐ-CSDL',
        agreementId: 'urn:agreement:2026-0012',
        purposes: ['sector_statistics', 'energy_efficiency', 'benchmark_return'],
        products: [
          { ...exampleProduct, ...product },
          { contract: 'vn.sector.machine-status', enabled: true, include: ['/packmlState'] },
        ],
      },
    ],
  };
}
