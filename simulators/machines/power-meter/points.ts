import { metricNames } from '@nhip/core/wire/vocabulary';
import { register } from '../../engine/point-rows.ts';
import type { RegisterPoint } from '../../points.ts';

/** Input registers of an Eastron SDM630: float32, high word first; power in W, energy in kWh. */
function float(metric: string, address: number, unitName: string, deadband: number, scale?: number): RegisterPoint {
  return register(metric, 'input', address, 'float32', { order: 'ABCD', unitName, deadband, ...(scale === undefined ? {} : { scale }) });
}

const kwPerWatt = 0.001;

export const powerMeterPoints: readonly RegisterPoint[] = [
  float('Voltage/L1', 0x00, 'V', 0.5),
  float('Voltage/L2', 0x02, 'V', 0.5),
  float('Voltage/L3', 0x04, 'V', 0.5),
  float('Current/L1', 0x06, 'A', 1),
  float('Current/L2', 0x08, 'A', 1),
  float('Current/L3', 0x0a, 'A', 1),
  float('Power/L1', 0x0c, 'kW', 0.3, kwPerWatt),
  float('Power/L2', 0x0e, 'kW', 0.3, kwPerWatt),
  float('Power/L3', 0x10, 'kW', 0.3, kwPerWatt),
  float(metricNames.powerActive, 0x34, 'kW', 0.5, kwPerWatt),
  float('PowerFactor', 0x3e, '1', 0.01),
  float('Frequency', 0x46, 'Hz', 0.02),
  register(metricNames.energyImport, 'input', 0x48, 'float32', { order: 'ABCD', unitName: 'kWh' }),
  register('Energy/Export', 'input', 0x4a, 'float32', { order: 'ABCD', unitName: 'kWh' }),
  register('Energy/Total', 'input', 0x156, 'float32', { order: 'ABCD', unitName: 'kWh' }),
];
