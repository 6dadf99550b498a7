import { parseYaml } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { parsePolicy, type SharingPolicy } from '@nhip/sector/contract/policy';
import { stringify } from 'yaml';
import { keep, readKept } from '../kept-file.ts';
import type { FactoryIdentity } from './factories.ts';
import { dailyReport, firstPolicy } from './first-policy.ts';

/** What the operator of the sector server records, so that the reports of a simulated factory are taken. */
export const simulatedPurposes = ['sector_statistics', 'energy_efficiency'] as const;

/** The agreement that the policy of a simulated factory names. */
export function simulatedAgreement({ establishmentId }: Pick<FactoryIdentity, 'establishmentId'>): string {
  return `urn:agreement:simulated:${establishmentId}`;
}

/** The recipient of the policy, and of the gateway's configuration. */
export const recipientId = 'sector-platform';

const remark = `# What this simulated factory shares, and with whom. A change is a new version: raise "version" and start the factory again;
# its two simulated approvers agree to every version.
`;

/**
 * Writes the sharing policy where there is none; where the platform has moved, a next version with the new address and everything else as
 * it was. Throws ConfigError for a file that is no policy.
 *
 * @param url of the platform's API, `https://…/v1`
 */
export async function keepPolicy(file: string, factory: FactoryIdentity, url: string): Promise<void> {
  const current = readPolicy(file);
  const recipient = current?.recipients.find(({ id }) => id === recipientId);
  if (current !== undefined && (recipient === undefined || recipient.endpoint.url === url)) return;
  const next = current === undefined ? policyOf(factory, url) : movedTo(current, url);
  await keep(file, remark + stringify(next));
}

function readPolicy(file: string): SharingPolicy | undefined {
  const text = readKept(file);
  if (text === undefined) return undefined;
  const parsed = parsePolicy(parseYaml(text, file, {}));
  if (!parsed.ok) throw new ConfigError(file, parsed.problems);
  return parsed.policy;
}

function policyOf(factory: FactoryIdentity, url: string): SharingPolicy {
  const { include, exclude } = factory;
  return firstPolicy(factory, url, {
    id: recipientId,
    legalBasis: 'contract',
    agreementId: simulatedAgreement(factory),
    purposes: simulatedPurposes,
    products: [{ ...dailyReport, include, exclude }],
  });
}

function movedTo(policy: SharingPolicy, url: string): SharingPolicy {
  const recipients = policy.recipients.map((each) => (each.id === recipientId ? { ...each, endpoint: { ...each.endpoint, url } } : each));
  return { ...policy, version: policy.version + 1, recipients };
}
