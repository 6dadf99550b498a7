import type { LocalName } from '@nhip/core/wire/live';
import type { CalendarException, PlantMachineModel, Shift } from '@nhip/core/wire/plant';
import type { Break } from '../engine/calendar.ts';
import type { Machine, MachineKind } from '../machine.ts';

/** A plant as data: everything that the simulation, the plant model and the edge agents' configurations are made from. */
export interface PlantDefinition {
  readonly id: string;
  /** Sparkplug group. */
  readonly group: string;
  readonly enterprise: LocalName;
  readonly site: LocalName;
  readonly timeZone: string;
  readonly utcOffsetMs: number;
  readonly shifts: readonly Shift[];
  /** Days without shifts; machines that never stop work through them. */
  readonly holidays: readonly Omit<CalendarException, 'shifts'>[];
  readonly dayStart: string;
  /** What the machines' reasons mean, as standard codes. */
  readonly reasonCodes: Readonly<Record<string, string>>;
  /** `outputs`: ids of the machines whose pieces leave the line. */
  readonly lines: readonly { readonly id: string; readonly name: LocalName; readonly outputs?: readonly string[] }[];
  /** In the direction of flow; machines after the ones that feed them. */
  readonly machines: readonly MachineSpec[];
  readonly conveyors: readonly { readonly from: string; readonly to: string; readonly capacity: number }[];
  /** Light, ventilation, offices: on the main meter only, kW. */
  readonly baseLoadKw: number;
  readonly outages: { readonly meanBetweenMs: number; readonly meanLengthMs: number };
}

export interface MachineSpec {
  /** ASCII; device id on the wire. */
  readonly id: string;
  readonly line: string;
  /** Edge agent that reads it. */
  readonly edge: string;
  readonly name: LocalName;
  readonly kindName: LocalName;
  readonly role: PlantMachineModel['role'];
  readonly kind: Omit<MachineKind<never>, 'create'>;
  /** Modbus unit id. */
  readonly unit?: number;
  readonly idealCycleMs?: number;
  /** Days (1 Monday … 7 Sunday) on which it works, by shift id. */
  readonly works: Readonly<Record<string, readonly number[]>>;
  readonly breaks: readonly Break[];
  readonly worksOnHolidays?: boolean;
  /** Compressed air that it draws while running, m³/min. */
  readonly airRate: number;
  /** Meters: the line whose machines it measures, or `all`. */
  readonly measures?: string;
  create(seed: number): Machine;
}

/** Ties a machine's config to its kind, so that a plant can list machines of several kinds. */
export function machineOf<C>(kind: MachineKind<C>, config: C, spec: Omit<MachineSpec, 'kind' | 'create'>): MachineSpec {
  return { ...spec, kind, create: (seed) => kind.create(spec.id, config, seed) };
}
