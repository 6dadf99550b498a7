import { metricNames } from '@nhip/core/wire/vocabulary';
import { register } from '../../engine/point-rows.ts';
import type { RegisterPoint } from '../../points.ts';
import { packagingProducts } from '../products.ts';
import { packmlStates, reasonCodes } from '../reasons.ts';

const reasons = reasonCodes('bottleFallen', 'capJam', 'nozzleBlocked', 'tankLow');

/** A PLC with big-endian words (ABCD); process values as input registers, alarms as bits of one word. */
export const fillingPoints: readonly RegisterPoint[] = [
  register(metricNames.state, 'holding', 0, 'uint16', { codes: packmlStates }),
  register(metricNames.stateReason, 'holding', 1, 'uint16', { codes: reasons }),
  register(metricNames.jobProduct, 'holding', 2, 'uint16', { codes: packagingProducts }),
  register(metricNames.countGood, 'holding', 10, 'uint32', { order: 'ABCD' }),
  register(metricNames.countReject, 'holding', 12, 'uint32', { order: 'ABCD' }),
  register(metricNames.cycleIdealMs, 'holding', 14, 'uint32', { order: 'ABCD', unitName: 'ms' }),
  register('Alarm/CapJam', 'holding', 20, 'bool', { bit: 0 }),
  register('Alarm/NozzleBlocked', 'holding', 20, 'bool', { bit: 1 }),
  register('Alarm/TankLow', 'holding', 20, 'bool', { bit: 2 }),
  register('Alarm/ProductHot', 'holding', 20, 'bool', { bit: 8 }),
  register('Fill/Setpoint', 'holding', 30, 'uint16', { unitName: 'ml' }),
  register('Temp/Product', 'input', 0, 'int16', { scale: 0.1, unitName: '°C', deadband: 0.2 }),
  register('Level/Tank', 'input', 1, 'uint16', { scale: 0.1, unitName: '%', deadband: 0.5 }),
  register('Flow/Fill', 'input', 2, 'float32', { order: 'ABCD', unitName: 'l/min', deadband: 0.5 }),
  register('Pressure/Line', 'input', 4, 'int16', { scale: 0.01, unitName: 'bar', deadband: 0.05 }),
  register('Fill/Actual', 'input', 6, 'float32', { order: 'ABCD', unitName: 'ml', deadband: 1 }),
  register('Speed/Actual', 'input', 8, 'uint16', { unitName: '1/h', deadband: 5 }),
  register(metricNames.powerActive, 'input', 10, 'float32', { order: 'ABCD', unitName: 'kW', deadband: 0.2 }),
  register(metricNames.energyImport, 'input', 12, 'uint32', { order: 'ABCD', scale: 0.1, unitName: 'kWh' }),
];
