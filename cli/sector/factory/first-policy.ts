import type { Recipient, SharedProduct, SharingPolicy } from '@nhip/sector/contract/policy';

/** A day's report, sent at once: nobody waits for a simulated factory. */
export const dailyReport = {
  contract: 'vn.sector.production-report',
  enabled: true,
  minPeriod: 'P1D',
  minMachines: 3,
  delay: 'PT0M',
  holdForPreview: 'PT0M',
} as const satisfies SharedProduct;

export interface PolicyOwner {
  readonly enterpriseId: string;
  readonly establishmentId: string;
  /** All of them must agree. */
  readonly approvers: readonly string[];
}

/**
 * The first version of the policy of a simulated factory with one recipient, the platform.
 *
 * @param url of the platform's API, `https://…/v1`
 */
export function firstPolicy(
  { enterpriseId, establishmentId, approvers }: PolicyOwner,
  url: string,
  { id, ...recipient }: Omit<Recipient, 'endpoint'>,
): SharingPolicy {
  return {
    policyId: `urn:policy:${enterpriseId}:${establishmentId}:sector`,
    version: 1,
    owner: { enterpriseId, approvers, approvalsNeeded: approvers.length },
    // The first day on which the code lists that it uses hold.
    validFrom: '2025-12-01T00:00:00+07:00',
    defaults: { effect: 'deny' },
    recipients: [{ id, endpoint: { adapter: 'https', url, jurisdiction: 'VN' }, ...recipient }],
  };
}
