import { metricNames } from '@nhip/core/wire/vocabulary';
import { register } from '../../engine/point-rows.ts';
import type { RegisterPoint } from '../../points.ts';
import { packagingProducts } from '../products.ts';
import { packmlStates, reasonCodes } from '../reasons.ts';

const reasons = reasonCodes('boxJam', 'cartonOut', 'glueCold');

/** An old PLC with swapped bytes (BADC, BA); alarms as discrete inputs. */
export const casePackerPoints: readonly RegisterPoint[] = [
  register(metricNames.state, 'holding', 0, 'uint16', { order: 'BA', codes: packmlStates }),
  register(metricNames.stateReason, 'holding', 1, 'uint16', { order: 'BA', codes: reasons }),
  register(metricNames.jobProduct, 'holding', 2, 'uint16', { order: 'BA', codes: packagingProducts }),
  register(metricNames.countGood, 'holding', 4, 'uint32', { order: 'BADC' }),
  register(metricNames.countReject, 'holding', 6, 'uint32', { order: 'BADC' }),
  register(metricNames.cycleIdealMs, 'holding', 8, 'uint32', { order: 'BADC', unitName: 'ms' }),
  register('Temp/HotMelt', 'holding', 40, 'int16', { order: 'BA', scale: 0.1, unitName: '°C', deadband: 0.5 }),
  register('Carton/Remaining', 'holding', 41, 'uint16', { order: 'BA', unitName: '1', deadband: 1 }),
  register('Pressure/Vacuum', 'holding', 42, 'float32', { order: 'BADC', unitName: 'bar', deadband: 0.02 }),
  register('Speed/Actual', 'holding', 44, 'uint16', { order: 'BA', unitName: '1/h', deadband: 2 }),
  register(metricNames.powerActive, 'holding', 46, 'float32', { order: 'BADC', unitName: 'kW', deadband: 0.1 }),
  register(metricNames.energyImport, 'holding', 48, 'uint32', { order: 'BADC', scale: 0.1, unitName: 'kWh' }),
  register('Alarm/BoxJam', 'discrete', 0, 'bool'),
  register('Alarm/CartonOut', 'discrete', 1, 'bool'),
  register('Alarm/GlueCold', 'discrete', 2, 'bool'),
  register('Alarm/VacuumLow', 'discrete', 3, 'bool'),
];
