import type { LocalName } from './live.ts';
import type { MachineId } from './sample.ts';

/** The plant model (ISA-95: enterprise, site, lines, machines): names, calendar, and what of their figures machines do not report. */
export interface PlantModel {
  readonly enterprise: LocalName;
  readonly site: LocalName;
  /** IANA name, e.g. `Asia/Ho_Chi_Minh`. */
  readonly timeZone: string;
  /** In the order in which a board lists them; machines in the direction of flow. */
  readonly lines: readonly PlantLine[];
  readonly machines: Readonly<Record<MachineId, PlantMachineModel>>;
  readonly shifts: readonly Shift[];
  /** Days on which other shifts work than usual; of several for one day the last holds. */
  readonly exceptions?: readonly CalendarException[];
  /** `HH:MM` at which a day of the books begins; absent: 00:00. */
  readonly dayStart?: string;
  /** Unplanned interruptions shorter than this are micro-stops, ms; absent: 2 min. */
  readonly microStopMs?: number;
  /** Names of the reason codes that machines report as `State/Reason`. A code without a name is shown as it is. */
  readonly reasons: Readonly<Record<string, LocalName>>;
  /** What those codes mean: one of the standard codes (`downtimeReasons` of core/kpi). A code without a meaning counts as `other`. */
  readonly reasonCodes?: Readonly<Record<string, string>>;
}

export interface PlantLine {
  readonly id: string;
  readonly name: LocalName;
  readonly machines: readonly MachineId[];
  /**
   * Machines whose pieces are those of the line: of a serial line the last one, of parallel machines every one. Absent: the last one that
   * is no meter.
   */
  readonly outputs?: readonly MachineId[];
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
  /** The value at which a counter or meter wraps to 0, by metric, e.g. `Count/Good`: 65536; without it a drop is a reset. */
  readonly rolloverAt?: Readonly<Record<string, number>>;
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
  /** Local times within the shift in which nobody is meant to work; one that begins earlier than the shift is on the day after. */
  readonly breaks?: readonly ShiftBreak[];
}

export interface ShiftBreak {
  readonly from: string;
  readonly to: string;
}

export interface CalendarException {
  /** Local date `YYYY-MM-DD`. */
  readonly date: string;
  /** Last date of several in a row. */
  readonly lastDate?: string;
  readonly name: LocalName;
  /** Ids of the shifts that work on these days, whatever their weekdays; empty: a holiday. */
  readonly shifts: readonly string[];
}
