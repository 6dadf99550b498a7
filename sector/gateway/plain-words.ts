import type { PlainLine } from '@nhip/core/wire/sharing';
import { energyCarriers } from '../contract/codes/energy.ts';
import { machineClassList, noteList, reasonList, stateList } from '../contract/codes/plant-words.ts';
import { units } from '../contract/codes/units.ts';
import type { Text } from '../contract/finding.ts';
import { segmentsOf, valueAt } from '../contract/pointer.ts';

type Kind = 'text' | 'seconds' | 'count' | 'quantity' | 'ratio' | 'ms';

/** Pointer (`*` for a row) → what it is. */
const labels: Readonly<Record<string, readonly [vi: string, en: string, kind?: Kind]>> = {
  '/contract': ['Loại báo cáo', 'Kind of report'],
  '/contractVersion': ['Phiên bản hợp đồng dữ liệu', 'Version of the contract'],
  '/reportId': ['Số báo cáo', 'Report id'],
  '/revision': ['Bản hiệu chỉnh số', 'Revision', 'count'],
  '/supersedes/reportId': ['Thay cho báo cáo', 'Replaces report'],
  '/supersedes/digest': ['Mã băm của bản được thay', 'Digest of what is replaced'],
  '/revisionReason': ['Lý do hiệu chỉnh', 'Reason of the revision'],
  '/status': ['Tình trạng', 'Status'],
  '/issuedAt': ['Lập lúc', 'Issued at'],
  '/reporter/enterpriseId': ['Mã số thuế doanh nghiệp', 'Tax code of the enterprise'],
  '/reporter/establishmentId': ['Cơ sở', 'Establishment'],
  '/reporter/provinceCode': ['Mã tỉnh, thành phố', 'Province'],
  '/reporter/provinceScheme': ['Danh mục tỉnh, thành phố', 'Code list of the province'],
  '/reporter/communeCode': ['Mã xã, phường', 'Commune'],
  '/activity/scheme': ['Danh mục ngành', 'Code list of the activity'],
  '/activity/code': ['Mã ngành', 'Activity'],
  '/period/from': ['Từ', 'From'],
  '/period/to': ['Đến', 'To'],
  '/period/duration': ['Độ dài kỳ', 'Length of the period'],
  '/period/timeZone': ['Múi giờ', 'Time zone'],
  '/period/dayStart': ['Ngày sản xuất bắt đầu lúc', 'Production day begins at'],
  '/coverage/machinesTotal': ['Số máy của nhà máy', 'Machines of the plant', 'count'],
  '/coverage/machinesInstrumented': ['Số máy có kết nối', 'Connected machines', 'count'],
  '/coverage/secondsExpected': ['Thời gian phải có dữ liệu', 'Time that should be covered', 'seconds'],
  '/coverage/secondsObserved': ['Thời gian có dữ liệu', 'Time that is covered', 'seconds'],
  '/coverage/outputMeasuredRatio': ['Tỷ lệ sản lượng do máy đếm', 'Share of output counted by machines', 'ratio'],
  '/coverage/energyMeasuredRatio': ['Tỷ lệ năng lượng do công tơ đo', 'Share of energy metered', 'ratio'],
  '/coverage/clockMaxSkewMs': ['Đồng hồ lệch nhiều nhất', 'Largest clock error', 'ms'],
  '/machines/downtimeByReason': ['Thời gian dừng theo lý do', 'Downtime by reason'],
  '/production/output': ['Sản lượng theo sản phẩm', 'Output by product'],
  '/energy': ['Năng lượng', 'Energy'],
  '/quality/flags': ['Ghi chú chất lượng', 'Quality flags'],
  '/machines/downtimeByReason/*/seconds': ['thời gian dừng', 'downtime', 'seconds'],
  '/machines/downtimeByReason/*/events': ['số lần dừng', 'stops', 'count'],
  '/machines/downtimeByReason/*/reason': ['lý do dừng', 'reason'],
  '/production/output/*/productScheme': ['danh mục sản phẩm', 'code list'],
  '/production/output/*/productCode': ['mã sản phẩm', 'product code'],
  '/production/output/*/unit': ['đơn vị tính', 'unit'],
  '/production/output/*/produced': ['sản lượng sản xuất', 'produced', 'quantity'],
  '/production/output/*/good': ['sản phẩm đạt', 'good', 'quantity'],
  '/production/output/*/scrap': ['phế phẩm', 'scrap', 'quantity'],
  '/production/output/*/rework': ['hàng sửa lại', 'rework', 'quantity'],
  '/production/output/*/idealSeconds': ['thời gian chuẩn', 'ideal time', 'seconds'],
  '/production/output/*/idealSecondsGood': ['thời gian chuẩn của hàng đạt', 'ideal time of good pieces', 'seconds'],
  '/production/output/*/ratedCapacity': ['công suất thiết kế', 'rated capacity', 'quantity'],
  '/production/output/*/origin': ['nguồn số liệu', 'origin'],
  '/production/kpi/pbtSeconds': ['Thời gian sản xuất theo kế hoạch', 'Planned busy time', 'seconds'],
  '/production/kpi/aptSeconds': ['Thời gian chạy', 'Actual production time', 'seconds'],
  '/production/kpi/auptSeconds': ['Thời gian chạy và cài đặt', 'Processing and set-up time', 'seconds'],
  '/production/kpi/adetSeconds': ['Thời gian trễ do hỏng, dừng', 'Delay time', 'seconds'],
  '/production/kpi/idealSeconds': ['Thời gian chuẩn của sản lượng', 'Ideal time of what was produced', 'seconds'],
  '/production/kpi/idealSecondsGood': ['Thời gian chuẩn của sản phẩm đạt', 'Ideal time of good pieces', 'seconds'],
  '/production/kpi/failureEvents': ['Số lần hỏng máy', 'Failures', 'count'],
  '/production/kpi/ttrSeconds': ['Tổng thời gian khắc phục', 'Time to repair, total', 'seconds'],
  '/production/kpi/tbfSeconds': ['Tổng thời gian giữa các lần hỏng', 'Time between failures, total', 'seconds'],
  '/energy/*/carrier': ['dạng năng lượng', 'carrier'],
  '/energy/*/unit': ['đơn vị tính', 'unit'],
  '/energy/*/quantity': ['lượng tiêu thụ', 'used', 'quantity'],
  '/energy/*/exported': ['lượng bán ra', 'exported', 'quantity'],
  '/energy/*/origin': ['nguồn số liệu', 'origin'],
  '/quality/flags/*/path': ['Ghi chú chất lượng cho', 'Quality flag on'],
  '/quality/flags/*/obsStatus': ['Mã tình trạng số liệu', 'Status of the value'],
  '/quality/flags/*/note': ['Ghi chú', 'Note'],
  '/quality/flags/*/digits': ['Số chữ số giữ lại', 'Digits kept', 'count'],
  '/quality/flags/*/width': ['Độ rộng khoảng', 'Width of the bucket', 'quantity'],
  '/lineage/agent': ['Phần mềm lập báo cáo', 'Software'],
  '/lineage/rulesDigest': ['Mã băm quy tắc tính', 'Digest of the rules'],
  '/lineage/sourceHash': ['Mã cam kết với số liệu gốc (không tiết lộ số liệu)', 'Commitment to the source figures (tells none of them)'],
  '/machineRef': ['Bí danh của máy', 'Pseudonym of the machine'],
  '/machineClass': ['Loại máy', 'Class of machine'],
  '/state': ['Trạng thái máy', 'State of the machine'],
  '/since': ['Từ lúc', 'Since'],
};

const lists = [stateList, reasonList, noteList, machineClassList].flatMap(({ items }) => items);
const codeWords = new Map<string, Text>([...lists, ...energyCarriers].map(({ code, vi, en }) => [code, { vi, en }]));
const unitWords = new Map<string, Text>(units.map(({ code, vi, en }) => [code, { vi: vi.toLowerCase(), en: en.toLowerCase() }]));

/** The values of a report under these pointers, in words. */
export function plainLines(report: unknown, pointers: readonly string[]): readonly PlainLine[] {
  return pointers.map((pointer) => {
    const [vi, en, kind = 'text'] = labels[patternOf(pointer)] ?? stateLabel(pointer) ?? [pointer, pointer];
    const row = rowName(report, pointer);
    const label = row === undefined ? { vi, en } : { vi: `${row.vi}: ${vi}`, en: `${row.en}: ${en}` };
    return { pointer, label, value: valueText(report, pointer, kind) };
  });
}

/** What a pointer with `*` for rows means, without a value. */
export function plainLabel(pattern: string): Text {
  const [vi, en] = labels[pattern] ?? stateLabel(pattern) ?? [pattern, pattern];
  const part = segmentsOf(pattern)[0];
  if (part === 'energy') return { vi: `Năng lượng: ${vi}`, en: `Energy: ${en}` };
  if (pattern.startsWith('/production/output')) return { vi: `Từng sản phẩm: ${vi}`, en: `By product: ${en}` };
  if (pattern.startsWith('/machines/downtimeByReason')) return { vi: `Theo lý do: ${vi}`, en: `By reason: ${en}` };
  return { vi, en };
}

/** A pointer with `*` in place of row numbers. */
export function patternOf(pointer: string): string {
  return pointer.replaceAll(/\/\d+(?=\/|$)/g, '/*');
}

function stateLabel(pointer: string): readonly [string, string, Kind] | undefined {
  const [part, list, state = ''] = segmentsOf(pointer);
  const words = part === 'machines' && list === 'secondsByState' ? codeWords.get(state) : undefined;
  return words === undefined ? undefined : [`Thời gian máy: ${words.vi}`, `Machine time: ${words.en}`, 'seconds'];
}

function rowName(report: unknown, pointer: string): Text | undefined {
  const [row] = /^\/(production\/output|energy|machines\/downtimeByReason)\/\d+/.exec(pointer) ?? [];
  if (row === undefined) return undefined;
  const code = ['productCode', 'carrier', 'reason'].map((key) => valueAt(report, `${row}/${key}`)).find((each) => typeof each === 'string');
  if (typeof code !== 'string') return undefined;
  return codeWords.get(code) ?? { vi: `Sản phẩm ${code}`, en: `Product ${code}` };
}

function valueText(report: unknown, pointer: string, kind: Kind): Text {
  const value = valueAt(report, pointer);
  if (Array.isArray(value)) return { vi: 'không có dòng nào', en: 'no rows' };
  if (typeof value !== 'string' && typeof value !== 'number') return { vi: '–', en: '–' };
  if (kind === 'text') return codeWords.get(String(value)) ?? { vi: String(value), en: String(value) };
  const number = numberText(String(value));
  if (kind === 'seconds') {
    const hours = numberText((Number(value) / 3600).toFixed(1));
    return { vi: `${number.vi} giây máy (${hours.vi} giờ)`, en: `${number.en} machine-seconds (${hours.en} h)` };
  }
  if (kind === 'ms') return { vi: `${number.vi} ms`, en: `${number.en} ms` };
  if (kind !== 'quantity') return number;
  const code = valueAt(report, `${pointer.slice(0, pointer.lastIndexOf('/'))}/unit`);
  const unit = typeof code === 'string' ? unitWords.get(code) : undefined;
  return unit === undefined ? number : { vi: `${number.vi} ${unit.vi}`, en: `${number.en} ${unit.en}` };
}

/** Vietnamese: dots for thousands and a decimal comma; English the other way round. */
function numberText(decimal: string): Text {
  const [whole = '', fraction] = decimal.split('.');
  const grouped = (mark: string): string => whole.replaceAll(/\B(?=(\d{3})+$)/g, mark);
  return {
    vi: fraction === undefined ? grouped('.') : `${grouped('.')},${fraction}`,
    en: fraction === undefined ? grouped(',') : `${grouped(',')}.${fraction}`,
  };
}
