import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { lossReasons } from '@nhip/core/wire/loss';
import type { Language, Local } from './language.ts';
import type { Mapping } from './panel-spec.ts';
import { colours, connectionLooks, type Look, stateLooks } from './words.ts';

const alarm: Readonly<Record<string, Look>> = {
  0: { text: { vi: 'Không', en: 'No' }, colour: colours.off },
  1: { text: { vi: 'Báo động', en: 'Alarm' }, colour: colours.down },
};
const alarmChange: Readonly<Record<string, Look>> = {
  1: { text: { vi: 'Xuất hiện', en: 'Came' }, colour: colours.down },
  '-1': { text: { vi: 'Hết', en: 'Went' }, colour: colours.off },
};
const storeUp: Readonly<Record<string, Look>> = {
  0: { text: { vi: 'Kho không nhận', en: 'Store refuses' }, colour: colours.down },
  1: { text: { vi: 'Kho đang nhận', en: 'Store takes data' }, colour: colours.run },
};
const full: Readonly<Record<string, Look>> = {
  0: { text: { vi: 'Còn chỗ', en: 'Has room' }, colour: colours.run },
  1: { text: { vi: 'Đầy, từ chối', en: 'Full, refuses' }, colour: colours.down },
};

const lossWords: Readonly<Record<(typeof lossReasons)[number], Local>> = {
  outboxQuota: { vi: 'Bộ thu hết hạn mức đĩa', en: 'Disk quota of the edge used up' },
  outboxFull: { vi: 'Đĩa bộ thu đầy', en: 'Disk of the edge full' },
  outboxDamaged: { vi: 'Đĩa bộ thu hỏng', en: 'Disk of the edge damaged' },
  outboxGone: { vi: 'Bộ thu không còn giữ', en: 'The edge no longer has it' },
  outboxReplaced: { vi: 'Bộ thu bắt đầu lại với đĩa trống', en: 'The edge began with an empty disk' },
  unfitValue: { vi: 'Giá trị không hợp kiểu', en: 'Value does not fit its type' },
  oversizedValue: { vi: 'Giá trị quá lớn', en: 'Value too large' },
  agentDown: { vi: 'Bộ thu không chạy', en: 'Edge agent not running' },
  logGone: { vi: 'Nhật ký máy chủ hỏng', en: 'Server log damaged' },
  tooScattered: { vi: 'Số thứ tự quá rời rạc', en: 'Numbers too scattered' },
  deadLettered: { vi: 'Bị loại, còn giữ lại', en: 'Rejected, but kept' },
};
const lossReason = Object.fromEntries(
  lossReasons.map((reason) => [reason, { text: lossWords[reason], colour: reason === 'deadLettered' ? colours.wait : colours.down }]),
);

const looks: Readonly<Record<Mapping, Readonly<Record<string, Look>>>> = {
  state: stateLooks,
  connection: connectionLooks,
  ...{ alarm, alarmChange, storeUp, full, lossReason },
};

/** Values that a mapping knows. */
export function mappedValues(mapping: Mapping): readonly string[] {
  return Object.keys(looks[mapping]);
}

export function valueMappings(mapping: Mapping, language: Language): ValueMapping[] {
  const options = Object.entries(looks[mapping]).map(([value, { text, colour }], index) => [
    value,
    { text: text[language], color: colour, index },
  ]);
  return [{ type: MappingType.ValueToText, options: Object.fromEntries(options) }];
}
