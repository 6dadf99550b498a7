import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { stringify } from 'yaml';
import type { DataFolder } from '../folders.ts';
import { dailyReport, firstPolicy } from '../sector/factory/first-policy.ts';

/** Tax code of the simulated enterprise; nobody has it. */
export const demoEnterprise = '0999999983';
export const demoRecipient = 'nen-tang-nganh';
/** Who must agree before something leaves. */
export const demoApprovers = ['admin', 'giam-doc'] as const;

/** Official codes of what the simulated plant makes: groups of the product classification, by their shape; the plant is invented. */
const products: Readonly<Record<string, readonly string[]>> = {
  '2220910': ['Chai HDPE 5 L', 'Can HDPE 4 L', 'Nắp vòi PP', 'Tay xách PP', 'Nút đậy PE', 'Vòng đệm PA66', 'Tay cầm TPE', 'Núm vặn ABS'],
  '2592209': ['Giá đỡ A12', 'Nắp hộp số B7', 'Tấm ốp A12', 'Tấm ốp B7', 'Trục D20', 'Bạc lót D32', 'Cụm giá A12', 'Cụm giá B7'],
  '2023120': ['Nước rửa chén 5 L', 'Nước lau sàn 5 L', 'Nước giặt 5 L'],
};

/** The server's configuration of the demo, `server.yaml`; returns its path. `clientId`: what the sector server gave. */
export function writeServerConfig(folder: DataFolder, clientId: string): string {
  const file = join(folder.root, 'server.yaml');
  const sharing = {
    enterpriseId: demoEnterprise,
    establishmentId: hoaLac.id,
    provinceCode: '01',
    activityCode: '2220',
    dayStart: hoaLac.dayStart,
    products: Object.fromEntries(
      Object.entries(products).flatMap(([code, names]) => names.map((name) => [name, { scheme: 'VCPA2018', code }])),
    ),
    policyFile: 'sharing-policy.yaml',
    keyFile: 'sector-signing-key.pem',
    recipients: {
      [demoRecipient]: {
        title: { vi: 'Nền tảng dữ liệu ngành (máy này)', en: 'Sector platform (this computer)' },
        periods: ['P1D'],
        clientId,
        secretFile: 'sector-secret',
        platformKeyFile: 'sector-platform-key.json',
      },
    },
    settleMinutes: 1,
  };
  writeFileSync(file, `# The simulated plant. All keys: docs/reference/configuration.md\n${stringify({ sharing })}`);
  return file;
}

/** What may leave the simulated plant: everything that the contract has but why machines stood. Waits are short, so that a visitor sees it. */
export function writeSharingPolicy(folder: DataFolder, sectorUrl: string): void {
  const owner = { enterpriseId: demoEnterprise, establishmentId: hoaLac.id, approvers: demoApprovers };
  const policy = firstPolicy(owner, `${sectorUrl}/v1`, {
    id: demoRecipient,
    legalBasis: 'consent',
    purposes: ['sector_statistics', 'energy_efficiency', 'benchmark_return'],
    products: [
      {
        ...dailyReport,
        include: ['/machines', '/production/output', '/production/kpi', '/energy', '/coverage', '/quality'],
        exclude: ['/machines/downtimeByReason'],
        transform: [{ path: '/production/output/*/productCode', op: 'code_level', arg: 5 }],
        onwardSharing: 'aggregate_only',
        retention: 'P5Y',
      },
      { contract: 'vn.sector.machine-status', enabled: false },
    ],
  });
  writeFileSync(
    join(folder.root, 'sharing-policy.yaml'),
    `# Chính sách chia sẻ: mặc định TỪ CHỐI, chỉ gửi những gì liệt kê dưới đây.\n${stringify(policy)}`,
  );
}
