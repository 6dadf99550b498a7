import type { KeyObject } from 'node:crypto';
import { type Finding, finding } from './finding.ts';
import { ownerOf } from './keys.ts';
import type { ProductionReport } from './report.ts';
import { verifyReport } from './signature.ts';

/** A key as its registrar knows it. */
export interface KeyRecord {
  readonly publicKey: KeyObject;
  readonly validFromMs: number;
  readonly revokedAtMs?: number;
}

/**
 * E111: the enterprise's own key, valid when the report was issued and not revoked before `knownSinceMs`. That is not `issuedAt`, which a
 * thief of a revoked key could set back: it is the moment from which somebody else attests that the report existed, now for a report that
 * arrives, `acceptedAt` of its receipt for one that is read again. So old signatures stay good after a revocation, new ones are refused.
 */
export function checkSignature(report: ProductionReport, key: KeyRecord | undefined, knownSinceMs: number): Finding[] {
  const { kid } = report.signature;
  const wrong = (pointer: string, vi: string, en: string): Finding[] => [finding('E111', pointer, { vi, en })];
  if (ownerOf(kid) !== report.reporter.enterpriseId) {
    return wrong('/signature/kid', `Khóa ${kid} không thuộc doanh nghiệp báo cáo`, `Key ${kid} is not one of the reporting enterprise`);
  }
  if (key === undefined) return wrong('/signature/kid', `Khóa ${kid} chưa được đăng ký`, `Key ${kid} is not enrolled`);
  if (Date.parse(report.issuedAt) < key.validFromMs) {
    return wrong(
      '/signature/kid',
      `Khóa ${kid} chưa có hiệu lực khi lập báo cáo`,
      `Key ${kid} was not valid yet when the report was issued`,
    );
  }
  if (key.revokedAtMs !== undefined && knownSinceMs >= key.revokedAtMs) {
    return wrong('/signature/kid', `Khóa ${kid} đã bị thu hồi`, `Key ${kid} is revoked`);
  }
  const verdict = verifyReport(report, key.publicKey);
  if (verdict.ok) return [];
  return wrong(
    '/signature/signature',
    'Chữ ký không khớp với nội dung: báo cáo đã bị sửa hoặc ký bằng khóa khác',
    `Refused: ${verdict.reason}`,
  );
}
