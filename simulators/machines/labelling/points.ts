import { metricNames } from '@nhip/core/wire/vocabulary';
import { register } from '../../engine/point-rows.ts';
import type { RegisterPoint } from '../../points.ts';
import { packagingProducts } from '../products.ts';
import { packmlStates, reasonCodes } from '../reasons.ts';

const reasons = reasonCodes('labelTorn', 'sensorDirty', 'glueCold', 'labelOut');

/** A PLC with swapped words (CDAB); alarms as coils. */
export const labellingPoints: readonly RegisterPoint[] = [
  register(metricNames.state, 'holding', 100, 'uint16', { codes: packmlStates }),
  register(metricNames.stateReason, 'holding', 101, 'uint16', { codes: reasons }),
  register(metricNames.jobProduct, 'holding', 102, 'uint16', { codes: packagingProducts }),
  register(metricNames.countGood, 'holding', 110, 'uint32', { order: 'CDAB' }),
  register(metricNames.countReject, 'holding', 112, 'uint32', { order: 'CDAB' }),
  register(metricNames.cycleIdealMs, 'holding', 114, 'uint32', { order: 'CDAB', unitName: 'ms' }),
  register('Label/Remaining', 'holding', 120, 'uint16', { unitName: '1', deadband: 1 }),
  register('Temp/Glue', 'holding', 121, 'int16', { scale: 0.1, unitName: '°C', deadband: 0.5 }),
  register('Speed/Actual', 'holding', 122, 'float32', { order: 'CDAB', unitName: '1/h', deadband: 5 }),
  register(metricNames.powerActive, 'holding', 124, 'float32', { order: 'CDAB', unitName: 'kW', deadband: 0.1 }),
  register(metricNames.energyImport, 'holding', 126, 'uint32', { order: 'CDAB', scale: 0.1, unitName: 'kWh' }),
  register('Alarm/LabelTorn', 'coil', 0, 'bool'),
  register('Alarm/GlueCold', 'coil', 1, 'bool'),
  register('Alarm/LabelLow', 'coil', 2, 'bool'),
];
