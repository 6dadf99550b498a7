import { readFileSync, writeFileSync } from 'node:fs';
import { parseYaml } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { parsePolicy, type SharingPolicy } from '@nhip/sector/contract/policy';
import { stringify } from 'yaml';
import type { FactoryIdentity } from './factories.ts';

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
export function keepPolicy(file: string, factory: FactoryIdentity, url: string): void {
  const current = readPolicy(file);
  const recipient = current?.recipients.find(({ id }) => id === recipientId);
  if (current !== undefined && (recipient === undefined || recipient.endpoint.url === url)) return;
  const next = current === undefined ? firstPolicy(factory, url) : movedTo(current, url);
  writeFileSync(file, remark + stringify(next), { mode: 0o600 });
}

function readPolicy(file: string): SharingPolicy | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ConfigError(file, [`cannot be read: ${code ?? String(error)}`]);
  }
  const parsed = parsePolicy(parseYaml(text, file, {}));
  if (!parsed.ok) throw new ConfigError(file, parsed.problems);
  return parsed.policy;
}

function firstPolicy({ enterpriseId, establishmentId, approvers, include, exclude }: FactoryIdentity, url: string): SharingPolicy {
  return {
    policyId: `urn:policy:${enterpriseId}:${establishmentId}:sector`,
    version: 1,
    owner: { enterpriseId, approvers, approvalsNeeded: 2 },
    // The first day on which the code lists that it uses hold.
    validFrom: '2025-12-01T00:00:00+07:00',
    defaults: { effect: 'deny' },
    recipients: [
      {
        id: recipientId,
        endpoint: { adapter: 'https', url, jurisdiction: 'VN' },
        legalBasis: 'contract',
        agreementId: `urn:agreement:simulated:${establishmentId}`,
        purposes: ['sector_statistics', 'energy_efficiency'],
        products: [
          {
            contract: 'vn.sector.production-report',
            enabled: true,
            minPeriod: 'P1D',
            minMachines: 3,
            delay: 'PT0M',
            holdForPreview: 'PT0M',
            include,
            exclude,
          },
        ],
      },
    ],
  };
}

function movedTo(policy: SharingPolicy, url: string): SharingPolicy {
  const recipients = policy.recipients.map((each) => (each.id === recipientId ? { ...each, endpoint: { ...each.endpoint, url } } : each));
  return { ...policy, version: policy.version + 1, recipients };
}
