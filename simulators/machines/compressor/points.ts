import { metricNames } from '@nhip/core/wire/vocabulary';
import { register } from '../../engine/point-rows.ts';
import type { RegisterPoint } from '../../points.ts';
import { packmlStates, reasonCodes } from '../reasons.ts';

/** A compressor controller with little-endian doubles words (DCBA); the pressure is an input register. */
export const compressorPoints: readonly RegisterPoint[] = [
  register(metricNames.state, 'holding', 0, 'uint16', { codes: packmlStates }),
  register(metricNames.stateReason, 'holding', 1, 'uint16', { codes: reasonCodes('compressorHot') }),
  register('Hours/Run', 'holding', 10, 'uint32', { order: 'DCBA', unitName: 'h' }),
  register('Hours/Loaded', 'holding', 12, 'uint32', { order: 'DCBA', unitName: 'h' }),
  register(metricNames.energyImport, 'holding', 14, 'uint32', { order: 'DCBA', scale: 0.1, unitName: 'kWh' }),
  register('Pressure/Net', 'input', 0, 'uint16', { scale: 0.01, unitName: 'bar', deadband: 0.03 }),
  register('Temp/Oil', 'input', 1, 'int16', { scale: 0.1, unitName: '°C', deadband: 0.5 }),
  register('Flow/Air', 'input', 2, 'uint16', { scale: 0.01, unitName: 'm³/min', deadband: 0.1 }),
  register(metricNames.powerActive, 'input', 4, 'float32', { order: 'DCBA', unitName: 'kW', deadband: 0.3 }),
  register('Loaded', 'coil', 0, 'bool'),
  register('Alarm/Overheated', 'discrete', 0, 'bool'),
  register('Alarm/PressureLow', 'discrete', 1, 'bool'),
];
