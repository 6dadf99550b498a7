import type { SharingReport, SharingReportDetail } from '@nhip/core/wire/sharing';

/** Parts of a report in which people think, as pointers; what is in none of them says who reports and when. */
const roots = {
  machineTime: '/machines/secondsByState',
  downtime: '/machines/downtimeByReason',
  output: '/production/output',
  kpi: '/production/kpi',
  energy: '/energy',
  coverage: '/coverage',
  quality: '/quality',
  lineage: '/lineage',
} as const;

const areas = ['head', 'machineTime', 'downtime', 'output', 'kpi', 'energy', 'coverage', 'quality', 'lineage'] as const;
export type Area = (typeof areas)[number];

interface Line {
  readonly pointer: string;
}

/** The lines by area, in a fixed order, without areas that have none. */
export function byArea<L extends Line>(lines: readonly L[]): readonly { readonly area: Area; readonly lines: readonly L[] }[] {
  return areas
    .map((area) => ({ area, lines: lines.filter(({ pointer }) => areaOf(pointer) === area) }))
    .filter((group) => group.lines.length > 0);
}

/** What a policy lets leave and keeps, read from a report that was made under it. */
export function sharedAreas({ leaves, stays }: Pick<SharingReportDetail, 'leaves' | 'stays'>): {
  readonly leaves: readonly Area[];
  /** `isPart`: another part of the area leaves. */
  readonly stays: readonly { readonly area: Area; readonly isPart: boolean }[];
} {
  const left = byArea(leaves).map(({ area }) => area);
  return { leaves: left, stays: byArea(stays).map(({ area }) => ({ area, isPart: left.includes(area) })) };
}

/** The newest report of each recipient that was made under a version of the policy; `reports` are newest first. */
export function newestUnder<R extends Pick<SharingReport, 'recipient' | 'status' | 'digest' | 'policy'>>(
  reports: readonly R[],
  policyDigest: string,
): readonly R[] {
  const shown = reports.filter(
    ({ status, digest, policy }) => status !== 'withdrawn' && digest !== undefined && policy.digest === policyDigest,
  );
  return shown.filter(({ recipient }, index) => shown.findIndex((each) => each.recipient === recipient) === index);
}

function areaOf(pointer: string): Area {
  for (const area of areas) if (area !== 'head' && `${pointer}/`.startsWith(`${roots[area]}/`)) return area;
  return 'head';
}
