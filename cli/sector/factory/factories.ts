import { ConfigError } from '@nhip/core/process/errors';
import type { GatewayConfig } from '@nhip/sector/gateway/config';
import { bacNinh } from '@nhip/simulators/plants/bac-ninh';
import type { PlantDefinition } from '@nhip/simulators/plants/definition';
import { tayNinh } from '@nhip/simulators/plants/tay-ninh';

/**
 * A simulated plant as a sector platform knows it. The enterprises are invented: their tax codes have a good check digit, but begin like
 * none that is given out.
 */
export interface FactoryIdentity {
  /** How the command calls it. */
  readonly id: string;
  readonly definition: PlantDefinition;
  readonly seed: number;
  readonly enterpriseId: string;
  readonly establishmentId: string;
  readonly provinceCode: string;
  /** VSIC 2025. */
  readonly activityCode: string;
  readonly products: GatewayConfig['products'];
  /** Accounts of the two people who approve its policy; simulated like the rest. */
  readonly approvers: readonly [string, string];
  /** What of a report leaves, as pointers of the sharing policy. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

const cases = (code: string) => ({ scheme: 'VCPA2018', code, unit: 'H87' }) as const;

export const simulatedFactories: readonly FactoryIdentity[] = [
  {
    id: 'tay-ninh',
    definition: tayNinh,
    seed: 80_001,
    enterpriseId: '0999999976',
    establishmentId: 'tay-ninh-01',
    provinceCode: '80',
    activityCode: '1105',
    products: {
      'Nước tinh khiết 6 × 1,5 L': cases('11041'),
      'Nước khoáng 6 × 1,5 L': cases('11041'),
      'Nước chanh 6 × 1,5 L': cases('11042'),
      'Trà chanh 6 × 1,5 L': cases('11042'),
    },
    approvers: ['giam-doc', 'truong-phong-san-xuat'],
    include: ['/coverage', '/machines', '/production', '/energy', '/quality', '/lineage'],
    // It tells how long machines stood, not why.
    exclude: ['/machines/downtimeByReason'],
  },
  {
    id: 'bac-ninh',
    definition: bacNinh,
    seed: 24_001,
    enterpriseId: '0999999969',
    establishmentId: 'bac-ninh-01',
    provinceCode: '24',
    activityCode: '2599',
    products: {
      'Khung gá K1': cases('25999'),
      'Khung gá K2': cases('25999'),
      'Trục truyền D20': cases('28140'),
      'Trục truyền D32': cases('28140'),
    },
    approvers: ['giam-doc', 'phu-trach-du-lieu'],
    include: ['/coverage', '/machines', '/production', '/energy', '/quality', '/lineage'],
    exclude: [],
  },
];

/** Throws ConfigError that names those that there are. */
export function findFactory(id: string | undefined): FactoryIdentity {
  const found = simulatedFactories.find((factory) => factory.id === id);
  if (found !== undefined) return found;
  const known = simulatedFactories.map((factory) => `${factory.id} (${factory.definition.enterprise.en})`).join(', ');
  throw new ConfigError('nhip sector factory', [
    `${id === undefined ? 'say which factory' : `"${id}" is no simulated factory`}: one of ${known}`,
  ]);
}
