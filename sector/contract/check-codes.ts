import { isInForce } from './codes/code-list.ts';
import { codeLists, isCodeValid, mapCode } from './codes/codes.ts';
import { isUnitOf } from './codes/energy.ts';
import { provinceList2004 } from './codes/provinces.ts';
import { isTaxCode } from './codes/tax-code.ts';
import { outputUnits } from './codes/units.ts';
import { type Finding, finding } from './finding.ts';
import { codeDate } from './period.ts';
import type { ReportContent } from './report.ts';

/** E107 tax code, E108 codes at the last day of the period, E109 units. */
export function checkCodes(report: ReportContent): Finding[] {
  const { reporter, activity, production, energy, period } = report;
  const date = codeDate(period);
  const found: Finding[] = [];
  if (!isTaxCode(reporter.enterpriseId)) found.push(finding('E107', '/reporter/enterpriseId'));
  if (!isCodeValid(reporter.provinceScheme, reporter.provinceCode, date)) {
    found.push(invalid('/reporter/provinceCode', reporter.provinceScheme, reporter.provinceCode, date, provinceNow(report)));
  }
  if (!isCodeValid(activity.scheme, activity.code, date)) found.push(invalid('/activity/code', activity.scheme, activity.code, date));
  for (const [index, { productScheme, productCode, unit }] of production.output.entries()) {
    const at = `/production/output/${index}`;
    if (!isCodeValid(productScheme, productCode, date)) found.push(invalid(`${at}/productCode`, productScheme, productCode, date));
    if (!outputUnits.includes(unit)) {
      found.push(
        finding('E109', `${at}/unit`, {
          vi: `Sản phẩm không tính bằng ${unit}; dùng một trong: ${outputUnits.join(', ')}`,
          en: `Products are not counted in ${unit}; use one of: ${outputUnits.join(', ')}`,
        }),
      );
    }
  }
  for (const [index, { carrier, unit }] of energy.entries()) {
    if (isUnitOf(carrier, unit)) continue;
    found.push(
      finding('E109', `/energy/${index}/unit`, { vi: `${carrier} không đo bằng ${unit}`, en: `${carrier} is not metered in ${unit}` }),
    );
  }
  return found;
}

/** What a code of a closed list became, where that is known. */
function provinceNow({ reporter }: ReportContent): string | undefined {
  if (reporter.provinceScheme !== provinceList2004.id) return undefined;
  const [successor] = mapCode('VN-ADM-2004', 'VN-ADM-2025', reporter.provinceCode);
  return successor === undefined ? undefined : `VN-ADM-2025 ${successor}`;
}

/** The scheme that holds on a date where another one does not. */
const others: Readonly<Record<string, string>> = {
  VSIC2018: 'VSIC2025',
  VSIC2025: 'VSIC2018',
  'VN-ADM-2004': 'VN-ADM-2025',
  'VN-ADM-2025': 'VN-ADM-2004',
};

/** E108, and what to do: another scheme for another time, or a code of the list. */
function invalid(pointer: string, scheme: string, code: string, date: string, successor?: string): Finding {
  const list = codeLists.get(scheme);
  const other = codeLists.get(others[scheme] ?? '');
  if (list !== undefined && !isInForce(list, date) && other !== undefined && isInForce(other, date)) {
    const now = successor ?? other.id;
    return finding('E108', pointer, {
      vi: `Mã ${code} của ${scheme} không có hiệu lực ngày ${date}; kỳ này dùng ${now}`,
      en: `Code ${code} of ${scheme} is not valid on ${date}; for this period use ${now}`,
    });
  }
  return finding('E108', pointer, {
    vi: `${scheme} không có mã ${code} vào ngày ${date}: chọn một mã của danh mục này (GET /v1/codes/${scheme})`,
    en: `${scheme} has no code ${code} on ${date}: choose a code of this list (GET /v1/codes/${scheme})`,
  });
}
