import { metricNames } from '@nhip/core/wire/vocabulary';
import { gauge, jobAndEnergyNodes, node } from '../../engine/point-rows.ts';
import type { NodePoint } from '../../points.ts';
import { packmlStates, reasonCodes } from '../reasons.ts';

const reasons = reasonCodes('nozzleCleaning', 'arcFault', 'wireStuck', 'fenceOpen');

/** PackML tags (OPC 30050) below `Status` and `Admin`, process values below `Process`. */
export const weldingRobotPoints: readonly NodePoint[] = [
  node(metricNames.state, 'Status.StateCurrent', 'Int32', { codes: packmlStates }),
  node(metricNames.stateReason, 'Admin.StopReason', 'Int32', { codes: reasons }),
  node(metricNames.countGood, 'Admin.ProdGoodCount', 'UInt32'),
  node(metricNames.countReject, 'Admin.ProdDefectiveCount', 'UInt32'),
  gauge('Speed/Actual', 'Status.CurMachSpeed', '1/h', 1),
  ...jobAndEnergyNodes,
  gauge('Weld/Current', 'Process.WeldCurrent', 'A', 5),
  gauge('Weld/Voltage', 'Process.WeldVoltage', 'V', 0.3),
  gauge('Gas/Flow', 'Process.GasFlow', 'l/min', 0.5),
  gauge('Wire/Level', 'Process.WireLevel', '%', 0.5),
  gauge('Temp/Torch', 'Process.TorchTemperature', '°C', 1),
  node('Alarm/ArcFault', 'Alarm.ArcFault', 'Boolean'),
  node('Alarm/WireStuck', 'Alarm.WireStuck', 'Boolean'),
  node('Alarm/FenceOpen', 'Alarm.FenceOpen', 'Boolean'),
  node('Alarm/WireLow', 'Alarm.WireLow', 'Boolean'),
];
