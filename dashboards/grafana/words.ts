import type { Connection, MachineState } from '@nhip/core/wire/vocabulary';
import type { Local } from './language.ts';

/**
 * Words and colours of what machines report, the same words as the web board says. Colours are those of its dark theme, which keep a
 * contrast of 3:1 on a light page too; the word is always shown beside the colour.
 */
export interface Look {
  readonly text: Local;
  readonly colour: string;
}

export const colours = {
  run: '#2e9e6b',
  wait: '#d9960f',
  down: '#d64545',
  plan: '#3b82d6',
  off: '#8a94a0',
  unknown: '#5f6b78',
} as const;

export const stateLooks: Readonly<Record<MachineState | Connection, Look>> = {
  running: { text: { vi: 'Đang chạy', en: 'Running' }, colour: colours.run },
  setup: { text: { vi: 'Đang cài đặt', en: 'Setup' }, colour: colours.plan },
  idle: { text: { vi: 'Đang chờ', en: 'Waiting' }, colour: colours.wait },
  fault: { text: { vi: 'Sự cố', en: 'Fault' }, colour: colours.down },
  maintenance: { text: { vi: 'Bảo trì', en: 'Maintenance' }, colour: colours.plan },
  stopped: { text: { vi: 'Đang dừng', en: 'Stopped' }, colour: colours.wait },
  notScheduled: { text: { vi: 'Ngoài lịch chạy', en: 'Not scheduled' }, colour: colours.off },
  unknown: { text: { vi: 'Không có dữ liệu', en: 'No data' }, colour: colours.unknown },
  online: { text: { vi: 'Đã kết nối, chưa rõ trạng thái', en: 'Connected, state not known yet' }, colour: colours.unknown },
  plcUnreachable: { text: { vi: 'Không đọc được PLC', en: 'PLC not reachable' }, colour: colours.unknown },
  agentOffline: { text: { vi: 'Bộ thu ngoại tuyến', en: 'Edge agent offline' }, colour: colours.unknown },
};

export const connectionLooks: Readonly<Record<Connection, Look>> = {
  online: { text: { vi: 'Đang kết nối', en: 'Connected' }, colour: colours.run },
  plcUnreachable: { ...stateLooks.plcUnreachable, colour: colours.wait },
  agentOffline: { ...stateLooks.agentOffline, colour: colours.down },
};
