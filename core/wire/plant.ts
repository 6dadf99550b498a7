import type { LocalName } from './live.ts';
import type { MachineId } from './sample.ts';

/** The plant model (ISA-95: enterprise, site, lines, machines): names, shifts and ideal cycle times that machines do not report. */
export interface PlantModel {
  readonly enterprise: LocalName;
  readonly site: LocalName;
  /** IANA name, e.g. `Asia/Ho_Chi_Minh`. */
  readonly timeZone: string;
  /** In the order in which a board lists them; machines in the direction of flow. */
  readonly lines: readonly PlantLine[];
  readonly machines: Readonly<Record<MachineId, PlantMachineModel>>;
  readonly shifts: readonly Shift[];
  /** Names of the reason codes that machines report as `State/Reason`. A code without a name is shown as it is. */
  readonly reasons: Readonly<Record<string, LocalName>>;
}

export interface PlantLine {
  readonly id: string;
  readonly name: LocalName;
  readonly machines: readonly MachineId[];
}

export interface PlantMachineModel {
  readonly name: LocalName;
  readonly kind: LocalName;
  /** Meters report no state and no counts: a board shows their power instead. */
  readonly role: 'machine' | 'meter';
  /** Meters: the line whose machines they measure, or `all`; so that nothing is counted twice. */
  readonly measures?: string;
  /** The machine's own `Cycle/IdealMs` wins while it reports one. */
  readonly idealCycleMs?: number;
}

export interface Shift {
  readonly id: string;
  readonly name: LocalName;
  /** Local time `HH:MM`. */
  readonly from: string;
  /** Local time `HH:MM`; at or before `from` means the next day. */
  readonly to: string;
  /** Days on which it starts: 1 Monday … 7 Sunday. Absent: every day. */
  readonly days?: readonly number[];
}
