import { type Finding, finding } from '../../contract/finding.ts';
import type { ProductionReport } from '../../contract/report.ts';
import type { Held } from './candidate.ts';

/**
 * The order of a series: revisions 1, 2, 3 … each naming the digest of the one before. Called for a digest that is not stored yet.
 * `current` is the newest revision held, `same` what is held under the revision of the report. Resolves with what speaks against it.
 */
export function revisionConflict(
  { revision, supersedes }: ProductionReport,
  current: Held | undefined,
  same: Held | undefined,
): { readonly finding: Finding; readonly held: Held | null } | undefined {
  if (same !== undefined) {
    const vi = `Bản hiệu chỉnh số ${revision} đã được lưu với nội dung khác (${same.digest})`;
    return {
      finding: finding('E114', '/revision', { vi, en: `Revision ${revision} is held with other content: ${same.digest}` }),
      held: same,
    };
  }
  const next = (current?.revision ?? 0) + 1;
  if (revision > next) {
    const vi = `Thiếu bản hiệu chỉnh số ${next}: hãy gửi bản đó trước`;
    return { finding: finding('E115', '/revision', { vi, en: `Revision ${next} is missing: send it first` }), held: current ?? null };
  }
  if (current === undefined || supersedes?.digest === current.digest) return undefined;
  const vi = `Bản số ${current.revision} đang lưu có mã băm ${current.digest}`;
  return {
    finding: finding('E114', '/supersedes/digest', {
      vi,
      en: `Revision ${current.revision} that is held has the digest ${current.digest}`,
    }),
    held: current,
  };
}
