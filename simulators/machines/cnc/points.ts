import { metricNames } from '@nhip/core/wire/vocabulary';
import { gauge, jobAndEnergyNodes, node } from '../../engine/point-rows.ts';
import type { NodePoint } from '../../points.ts';
import { cncStates } from '../reasons.ts';

/** Vendor variables of the CNC control; its MachineTool object (OPC 40501-1) mirrors some of them. */
export const cncPoints: readonly NodePoint[] = [
  node(metricNames.state, 'State', 'Int32', { codes: cncStates }),
  node(metricNames.stateReason, 'StopReason', 'String'),
  node(metricNames.countGood, 'PartsGood', 'UInt32'),
  node(metricNames.countReject, 'PartsRejected', 'UInt32'),
  ...jobAndEnergyNodes,
  gauge('Spindle/Load', 'SpindleLoad', '%', 2),
  gauge('Spindle/Speed', 'SpindleSpeed', '1/min', 20),
  gauge('Feed/Override', 'FeedOverride', '%', 1),
  gauge('Temp/Spindle', 'SpindleTemperature', '°C', 0.3),
  gauge('Vibration/Spindle', 'SpindleVibration', 'mm/s', 0.1),
  gauge('Coolant/Level', 'CoolantLevel', '%', 0.5),
  gauge('Tool/Wear', 'ToolWear', '%', 0.5),
  node('Tool/Number', 'ToolNumber', 'UInt32'),
  node('Alarm/ToolBroken', 'AlarmToolBroken', 'Boolean'),
  node('Alarm/ChipJam', 'AlarmChipJam', 'Boolean'),
  node('Alarm/SpindleOverload', 'AlarmSpindleOverload', 'Boolean'),
  node('Alarm/CoolantLow', 'AlarmCoolantLow', 'Boolean'),
];
