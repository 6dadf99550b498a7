import type { PlantMachineModel, PlantModel } from '@nhip/core/wire/plant';
import { machineId } from '@nhip/core/wire/sample';
import { reasonNames } from '../machines/reasons.ts';
import type { MachineSpec, PlantDefinition } from './definition.ts';

/** The plant model (names, lines, shifts, ideal cycles) of a simulated plant, as a factory would write it in `plant.yaml`. */
export function plantModel(definition: PlantDefinition): PlantModel {
  const idOf = (spec: MachineSpec) => machineId(definition.group, spec.edge, spec.id);
  return {
    enterprise: definition.enterprise,
    site: definition.site,
    timeZone: definition.timeZone,
    lines: definition.lines.map(({ id, name, outputs }) => {
      const members = definition.machines.filter((spec) => spec.line === id);
      const machines = members.map(idOf);
      return { id, name, machines, ...(outputs && { outputs: members.filter((spec) => outputs.includes(spec.id)).map(idOf) }) };
    }),
    machines: Object.fromEntries(definition.machines.map((spec) => [idOf(spec), machineModel(spec)])),
    shifts: definition.shifts,
    exceptions: definition.holidays.map((holiday) => ({ ...holiday, shifts: [] })),
    dayStart: definition.dayStart,
    reasons: reasonNames,
    reasonCodes: definition.reasonCodes,
  };
}

function machineModel(spec: MachineSpec): PlantMachineModel {
  return {
    name: spec.name,
    kind: spec.kindName,
    role: spec.role,
    ...(spec.measures === undefined ? {} : { measures: spec.measures }),
    ...(spec.idealCycleMs === undefined ? {} : { idealCycleMs: spec.idealCycleMs }),
  };
}
