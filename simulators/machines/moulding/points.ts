import { metricNames } from '@nhip/core/wire/vocabulary';
import { gauge, jobAndEnergyNodes, node } from '../../engine/point-rows.ts';
import type { NodePoint } from '../../points.ts';
import { packmlStates, reasonCodes } from '../reasons.ts';

const reasons = reasonCodes('partStuck', 'mouldProtect', 'heaterFault', 'oilHot', 'materialLow');

/** PackML tags (OPC 30050) below `Status` and `Admin`, process values below `Process`. */
export const mouldingPoints: readonly NodePoint[] = [
  node(metricNames.state, 'Status.StateCurrent', 'Int32', { codes: packmlStates }),
  node(metricNames.stateReason, 'Admin.StopReason', 'Int32', { codes: reasons }),
  node(metricNames.countGood, 'Admin.ProdGoodCount', 'UInt32'),
  node(metricNames.countReject, 'Admin.ProdDefectiveCount', 'UInt32'),
  gauge('Speed/Actual', 'Status.CurMachSpeed', '1/h', 1),
  ...jobAndEnergyNodes,
  gauge('Temp/Barrel1', 'Process.BarrelTemperature1', '°C', 0.5),
  gauge('Temp/Barrel2', 'Process.BarrelTemperature2', '°C', 0.5),
  gauge('Temp/Barrel3', 'Process.BarrelTemperature3', '°C', 0.5),
  gauge('Temp/Mould', 'Process.MouldTemperature', '°C', 0.3),
  gauge('Temp/Oil', 'Process.OilTemperature', '°C', 0.3),
  gauge('Pressure/Injection', 'Process.InjectionPressure', 'bar', 5),
  gauge('Force/Clamp', 'Process.ClampForce', 'kN', 10),
  gauge('Cushion', 'Process.Cushion', 'mm', 0.05),
  gauge('Hopper/Level', 'Process.HopperLevel', '%', 0.5),
  node('Mould/Shots', 'Process.MouldShots', 'UInt32'),
  node('Alarm/PartStuck', 'Alarm.PartStuck', 'Boolean'),
  node('Alarm/MouldProtect', 'Alarm.MouldProtect', 'Boolean'),
  node('Alarm/HeaterFault', 'Alarm.HeaterFault', 'Boolean'),
  node('Alarm/OilHot', 'Alarm.OilHot', 'Boolean'),
  node('Alarm/MaterialLow', 'Alarm.MaterialLow', 'Boolean'),
];
