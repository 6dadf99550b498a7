import type { LocalName } from '@nhip/core/wire/live';

/**
 * Reasons of stops: the word that travels as `State/Reason`, the number in a controller's reason register, the names on a
 * board. 0 and '' mean that the controller does not know.
 */
const reasons = [
  ['starved', 1, 'Thiếu liệu từ máy trước', 'Starved: no parts from upstream'],
  ['blocked', 2, 'Đầy băng tải phía sau', 'Blocked: no room downstream'],
  ['noAir', 3, 'Thiếu khí nén', 'No compressed air'],
  ['gridOutage', 4, 'Mất điện lưới', 'Grid outage'],
  ['mealBreak', 5, 'Nghỉ giữa ca', 'Meal break'],
  ['shiftStart', 6, 'Khởi động đầu ca', 'Start of shift'],
  ['restart', 7, 'Khởi động lại sau mất điện', 'Restart after outage'],
  ['changeover', 8, 'Chuyển đổi sản phẩm', 'Changeover'],
  ['preventiveMaintenance', 9, 'Bảo trì định kỳ', 'Preventive maintenance'],
  ['waitingForOperator', 10, 'Chờ người vận hành', 'Waiting for operator'],
  ['qualityCheck', 11, 'Kiểm tra chất lượng', 'Quality check'],
  ['toolChange', 20, 'Thay dao', 'Tool change'],
  ['toolBroken', 21, 'Gãy dao', 'Broken tool'],
  ['coolantLow', 22, 'Thiếu nước làm mát', 'Coolant low'],
  ['spindleOverload', 23, 'Quá tải trục chính', 'Spindle overload'],
  ['chipJam', 24, 'Kẹt phoi', 'Chip conveyor jammed'],
  ['clampFault', 25, 'Lỗi kẹp phôi', 'Workpiece clamp fault'],
  ['mouldProtect', 30, 'Bảo vệ khuôn tác động', 'Mould protection'],
  ['heaterFault', 31, 'Lỗi vòng nhiệt', 'Heater band fault'],
  ['materialLow', 32, 'Hết hạt nhựa', 'Out of granulate'],
  ['partStuck', 33, 'Kẹt sản phẩm trong khuôn', 'Part stuck in mould'],
  ['oilHot', 34, 'Dầu thủy lực quá nóng', 'Hydraulic oil hot'],
  ['arcFault', 40, 'Mất hồ quang', 'Arc lost'],
  ['wireStuck', 41, 'Kẹt dây hàn', 'Wire stuck'],
  ['nozzleCleaning', 42, 'Vệ sinh mỏ hàn', 'Nozzle cleaning'],
  ['fenceOpen', 43, 'Mở cửa an toàn', 'Safety gate open'],
  ['nozzleBlocked', 50, 'Tắc vòi chiết', 'Filling nozzle blocked'],
  ['tankLow', 51, 'Bồn chứa cạn', 'Tank low'],
  ['capJam', 52, 'Kẹt nắp', 'Cap jam'],
  ['bottleFallen', 53, 'Đổ chai', 'Bottle fallen'],
  ['labelOut', 54, 'Hết nhãn', 'Out of labels'],
  ['labelTorn', 55, 'Rách nhãn', 'Label torn'],
  ['sensorDirty', 56, 'Bẩn cảm biến', 'Sensor dirty'],
  ['boxJam', 57, 'Kẹt thùng', 'Case jammed'],
  ['cartonOut', 58, 'Hết bìa các-tông', 'Out of cartons'],
  ['glueCold', 59, 'Keo chưa đủ nóng', 'Glue too cold'],
  ['compressorHot', 70, 'Máy nén quá nhiệt', 'Compressor overheated'],
] as const;

export const reasonNames: Readonly<Record<string, LocalName>> = Object.fromEntries(reasons.map(([id, , vi, en]) => [id, { vi, en }]));

/** Codes for a reason register: reasons that every machine has, plus the kind's own. Throws for an unknown reason. */
export function reasonCodes(...own: readonly string[]): Readonly<Record<string, number>> {
  const codes: Record<string, number> = { '': 0 };
  for (const [id, code] of reasons) {
    if (code < 20 || own.includes(id)) codes[id] = code;
  }
  for (const id of own) {
    if (!(id in codes)) throw new RangeError(`reason ${id} is not in machines/reasons.ts`);
  }
  return codes;
}

/** PackML state numbers (OPC 30050) for our words; maintenance is a PackML mode and stands at Held here. */
export const packmlStates = {
  stopped: 2,
  notScheduled: 4,
  idle: 5,
  running: 6,
  fault: 9,
  maintenance: 11,
  setup: 15,
} as const;

/** The state numbers of the simulated CNC control. */
export const cncStates = { stopped: 0, notScheduled: 1, idle: 2, running: 3, setup: 4, fault: 5, maintenance: 6 } as const;
