/**
 * The metrics that profiles may use: one name for one thing, whoever made the device. Power and energy are seen from the consumer:
 * power that is taken from the grid is positive, power that is fed back (an inverter's) negative.
 */

export interface ProfileMetric {
  /** Undefined for what is not a quantity. */
  readonly unit: string | undefined;
  readonly vi: string;
  readonly en: string;
  /** Also per phase: `<name>/L1` to `<name>/L3`. */
  readonly isPerPhase?: boolean | undefined;
}

const quantity = (unit: string | undefined, en: string, vi: string, isPerPhase = false): ProfileMetric => ({ unit, vi, en, isPerPhase });

export const profileMetrics: Readonly<Record<string, ProfileMetric>> = {
  'Power/Active': quantity('kW', 'Active power', 'Công suất tác dụng', true),
  'Power/Reactive': quantity('kvar', 'Reactive power', 'Công suất phản kháng', true),
  'Power/Apparent': quantity('kVA', 'Apparent power', 'Công suất biểu kiến', true),
  PowerFactor: quantity(undefined, 'Power factor, −1 to 1', 'Hệ số công suất, −1 đến 1', true),
  'Energy/Import': quantity('kWh', 'Energy taken, cumulative', 'Điện năng nhận, cộng dồn', true),
  'Energy/Export': quantity('kWh', 'Energy fed back, cumulative', 'Điện năng phát, cộng dồn', true),
  'EnergyReactive/Import': quantity('kvarh', 'Reactive energy taken, cumulative', 'Điện năng phản kháng nhận, cộng dồn'),
  'EnergyReactive/Export': quantity('kvarh', 'Reactive energy fed back, cumulative', 'Điện năng phản kháng phát, cộng dồn'),
  'Voltage/L1-N': quantity('V', 'Voltage, phase 1 to neutral', 'Điện áp pha 1'),
  'Voltage/L2-N': quantity('V', 'Voltage, phase 2 to neutral', 'Điện áp pha 2'),
  'Voltage/L3-N': quantity('V', 'Voltage, phase 3 to neutral', 'Điện áp pha 3'),
  'Voltage/L-N': quantity('V', 'Voltage to neutral, average', 'Điện áp pha trung bình'),
  'Voltage/L1-L2': quantity('V', 'Voltage, phase 1 to 2', 'Điện áp dây 1–2'),
  'Voltage/L2-L3': quantity('V', 'Voltage, phase 2 to 3', 'Điện áp dây 2–3'),
  'Voltage/L3-L1': quantity('V', 'Voltage, phase 3 to 1', 'Điện áp dây 3–1'),
  'Voltage/L-L': quantity('V', 'Voltage between phases, average', 'Điện áp dây trung bình'),
  Current: quantity('A', 'Current, average of the phases', 'Dòng điện, trung bình các pha', true),
  'Current/Sum': quantity('A', 'Current, sum of the phases', 'Dòng điện, tổng các pha'),
  'Current/N': quantity('A', 'Current in the neutral conductor', 'Dòng điện dây trung tính'),
  Frequency: quantity('Hz', 'Frequency of the grid', 'Tần số lưới'),
  'DC/Power': quantity('kW', 'Power on the DC side', 'Công suất phía một chiều'),
  'DC/Voltage': quantity('V', 'Voltage on the DC side', 'Điện áp phía một chiều'),
  'DC/Current': quantity('A', 'Current on the DC side', 'Dòng điện phía một chiều'),
  'Motor/Frequency': quantity('Hz', 'Output frequency', 'Tần số ra'),
  'Motor/Current': quantity('A', 'Motor current', 'Dòng điện động cơ'),
  'Motor/Voltage': quantity('V', 'Motor voltage', 'Điện áp động cơ'),
  'Motor/Energy': quantity('kWh', 'Energy given to the motor, cumulative', 'Điện năng cấp cho động cơ, cộng dồn'),
  'Motor/ThermalLoad': quantity('%', 'Thermal load of the motor', 'Tải nhiệt động cơ'),
  'Drive/StatusWord': quantity(undefined, 'Status word', 'Từ trạng thái'),
  'Temperature/Cabinet': quantity('°C', 'Temperature in the cabinet', 'Nhiệt độ tủ'),
  'Temperature/HeatSink': quantity('°C', 'Temperature of the heat sink', 'Nhiệt độ tản nhiệt'),
  'Temperature/Transformer': quantity('°C', 'Temperature of the transformer', 'Nhiệt độ biến áp'),
  'Temperature/Other': quantity('°C', 'Another temperature', 'Nhiệt độ khác'),
  'Hours/PoweredOn': quantity('h', 'Hours with power on, cumulative', 'Giờ có điện, cộng dồn'),
  'Hours/Running': quantity('h', 'Hours in operation, cumulative', 'Giờ chạy, cộng dồn'),
  State: quantity(undefined, 'State of the machine, one of eight words', 'Trạng thái máy, một trong tám từ'),
  'State/Reason': quantity(undefined, 'Why it stands', 'Lý do dừng'),
  Mode: quantity(undefined, 'Operation mode', 'Chế độ'),
  'Count/Good': quantity(undefined, 'Good pieces, cumulative', 'Số đạt, cộng dồn'),
  'Count/Reject': quantity(undefined, 'Rejected pieces, cumulative', 'Số loại, cộng dồn'),
  'Count/Total': quantity(undefined, 'Pieces, cumulative', 'Tổng số, cộng dồn'),
  'Count/Cycles': quantity(undefined, 'Operation cycles, cumulative', 'Số chu kỳ, cộng dồn'),
  'Job/Product': quantity(undefined, 'What is made', 'Sản phẩm đang làm'),
  'Speed/Actual': quantity(undefined, 'Speed, as the machine counts it', 'Tốc độ, theo đơn vị của máy'),
  'Speed/Set': quantity(undefined, 'Speed that was set, as the machine counts it', 'Tốc độ đặt, theo đơn vị của máy'),
  'Line/Blocked': quantity(undefined, 'What follows takes nothing', 'Nghẽn phía sau'),
  'Line/Starved': quantity(undefined, 'Nothing comes from before', 'Thiếu phía trước'),
};

const phase = /^(.+)\/L[123]$/;

/** The metric of that name; undefined when profiles may not use it. Alarms are `Alarm/<name>`, inner values `Internal/<name>`. */
export function profileMetric(name: string): ProfileMetric | undefined {
  if (Object.hasOwn(profileMetrics, name)) return profileMetrics[name];
  if (/^(Alarm|Internal)\/[A-Za-z0-9]+$/.test(name)) return { unit: undefined, en: name, vi: name };
  const whole = phase.exec(name)?.[1] ?? '';
  const metric = Object.hasOwn(profileMetrics, whole) ? profileMetrics[whole] : undefined;
  return metric?.isPerPhase === true ? metric : undefined;
}
