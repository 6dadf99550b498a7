import type { LocalName } from '../wire/live.ts';
import type { MachineState } from '../wire/vocabulary.ts';
import type { Correction } from './corrections.ts';
import type { KpiFigures } from './figures.ts';
import type { KpiParts } from './parts.ts';
import type { PeriodKind } from './periods.ts';
import type { ProductParts } from './production.ts';
import type { DowntimeByReason, Stop } from './stops.ts';
import type { TimeBucket } from './time-model.ts';

/** Answers of the API about figures and stops. Times are ms since 1970 UTC. */

export const scopeKinds = ['site', 'line', 'machine'] as const;
export type ScopeKind = (typeof scopeKinds)[number];

/** What figures are of. */
export interface KpiScope {
  readonly kind: ScopeKind;
  /** Of a line or a machine; `site` of the site. */
  readonly id: string;
  readonly name: LocalName;
}

export interface KpiPeriod {
  readonly from: number;
  /** Not included; of a period that still runs in the future. */
  readonly to: number;
  /** The figures hold what happened up to here. */
  readonly knownTo: number;
  /** `range`: what was asked, as a whole. */
  readonly kind: PeriodKind | 'range';
  /** Local date on which it starts, `YYYY-MM-DD`. */
  readonly date: string;
  /** Id of the shift. */
  readonly shift?: string | undefined;
}

/** Figures of one scope in one period. */
export interface KpiRow {
  readonly scope: KpiScope;
  readonly period: KpiPeriod;
  readonly parts: KpiParts;
  readonly figures: KpiFigures;
  readonly downtime: DowntimeByReason;
  readonly products: readonly (ProductParts & { readonly rework: number })[];
  readonly machines: { readonly total: number; readonly instrumented: number };
  /** 1, and one more for every time that a stored part of it was restated. */
  readonly revision: number;
  /** The same figures of the same scope and period have the same one: 16 hex digits. */
  readonly fingerprint: string;
  /** It still runs, or data of it may still be on its way. */
  readonly isOpen: boolean;
  /** When its oldest part was computed. */
  readonly computedMs: number;
}

/** A stop as people see and correct it. */
export interface DowntimeStop {
  readonly id: string;
  readonly machine: string;
  readonly from: number;
  /** null: it goes on. */
  readonly to: number | null;
  readonly state: MachineState;
  /** As the machine or a person said it. */
  readonly reason: string | null;
  /** One of the standard codes. */
  readonly reasonCode: string;
  readonly kind: 'planned' | 'unplanned';
  readonly bucket: TimeBucket;
  readonly isMicroStop: boolean;
  /** Somebody should tell the reason. */
  readonly isUnexplained: boolean;
  readonly corrections: Stop['corrections'];
}

/** One line of the history of a stop. */
export type DowntimeEntry = Correction & {
  /** It was neither replaced nor taken back. */
  readonly isHeld: boolean;
};

export interface DowntimeReasonView {
  readonly code: string;
  readonly kind: 'planned' | 'unplanned';
  readonly name: LocalName;
  /** Codes that machines of this plant report and that mean this. */
  readonly plantCodes: readonly { readonly code: string; readonly name: LocalName }[];
}
