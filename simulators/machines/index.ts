import type { MachineKind } from '../machine.ts';
import { casePacker } from './case-packer/machine.ts';
import { cnc } from './cnc/machine.ts';
import { compressor } from './compressor/machine.ts';
import { filling } from './filling/machine.ts';
import { labelling } from './labelling/machine.ts';
import { moulding } from './moulding/machine.ts';
import { powerMeter } from './power-meter/machine.ts';
import { weldingRobot } from './welding-robot/machine.ts';

/** Every machine kind, without its config's type. */
export const machineKinds: readonly Omit<MachineKind<never>, 'create'>[] = [
  cnc,
  moulding,
  weldingRobot,
  filling,
  labelling,
  casePacker,
  compressor,
  powerMeter,
];
