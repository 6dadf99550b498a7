/**
 * The production report, the one thing that a factory sends to its sector: types of `schemas/production-report.v1.schema.json`.
 *
 * Only integers and decimal text, no floats: a sum is the same number on every machine. No field holds a person, a free text or a raw
 * series; only parts that add up (seconds, pieces, kWh) are sent, ratios are for the reader to compute.
 */

export const contractName = 'vn.sector.production-report';
export const contractVersion = '1.0.0';

/** Decimal as text, not negative: up to 18 digits before and 6 after the point. */
export type Decimal = string;
/** Decimal as text, 0…1. */
export type Ratio = string;
/** `sha-256:` and 64 hex digits. */
export type Digest = string;

/** The eight states that leave a factory; finer states stay inside. */
export const machineStates = ['running', 'setup', 'idle', 'fault', 'maintenance', 'stopped', 'notScheduled', 'unknown'] as const;
export type MachineState = (typeof machineStates)[number];

export type Duration = 'PT1H' | 'P1D' | 'P1W' | 'P1M';
export type ReportStatus = 'provisional' | 'final' | 'withdrawn';
export type RevisionReason =
  | 'late_data'
  | 'meter_correction'
  | 'manual_correction'
  | 'code_correction'
  | 'recalculation'
  | 'policy_change'
  | 'withdrawal';
export type Origin = 'measured' | 'metered_billed' | 'declared' | 'estimated' | 'imputed';
export type LegalBasis = 'consent' | 'contract' | 'statutory';
export type Purpose =
  | 'sector_statistics'
  | 'capacity_monitoring'
  | 'energy_efficiency'
  | 'ghg_inventory'
  | 'benchmark_return'
  | 'research'
  | 'crisis_response';

export interface Reporter {
  /** Tax code: 10 digits with a check digit, of a branch with `-001`. */
  readonly enterpriseId: string;
  readonly establishmentId: string;
  readonly provinceCode: string;
  /** Seven codes mean another province in each scheme: a code alone says nothing. */
  readonly provinceScheme: 'VN-ADM-2025' | 'VN-ADM-2004';
  readonly communeCode?: string;
}

export interface Activity {
  readonly scheme: 'VSIC2025' | 'VSIC2018';
  /** Section C, level 4 or 5. */
  readonly code: string;
}

/** Half open, [from, to); local time of Việt Nam with its offset written out, so that one moment has one text. */
export interface Period {
  readonly from: string;
  readonly to: string;
  readonly duration: Duration;
  readonly timeZone: 'Asia/Ho_Chi_Minh';
  /** Start of the production day, `06:00`; absent: midnight. */
  readonly dayStart?: string;
}

/** Under which text of the factory's policy the report was made. */
export interface Sharing {
  readonly policyId: string;
  readonly policyVersion: number;
  readonly policyDigest: Digest;
  readonly legalBasis: LegalBasis;
  /** Number of a contract or legal document, `12/2026/HD-CSDL`. */
  readonly legalReference?: string;
  readonly agreementId?: string;
  readonly purposes: readonly Purpose[];
}

/** How complete the report is. Seconds are machine-seconds. */
export interface Coverage {
  readonly machinesTotal: number;
  readonly machinesInstrumented: number;
  readonly secondsExpected: number;
  readonly secondsObserved: number;
  readonly outputMeasuredRatio?: Ratio;
  readonly energyMeasuredRatio?: Ratio;
  readonly clockMaxSkewMs?: number;
}

export interface Downtime {
  readonly reason: string;
  readonly seconds: number;
  readonly events: number;
}

export interface Machines {
  readonly secondsByState: Readonly<Record<MachineState, number>>;
  readonly downtimeByReason?: readonly Downtime[];
}

export interface Output {
  readonly productScheme: 'VCPA2018' | 'HS2022' | 'GTIN' | 'LOCAL';
  readonly productCode: string;
  /** UN/ECE Recommendation 20 common code. */
  readonly unit: string;
  readonly produced: Decimal;
  readonly good: Decimal;
  readonly scrap?: Decimal;
  readonly rework?: Decimal;
  /** Σ PRU·PQ (ISO 22400-2). */
  readonly idealSeconds?: number;
  /** Σ PRU·GQ. */
  readonly idealSecondsGood?: number;
  /** Rated production capacity (REPC) of this period, in the same unit. */
  readonly ratedCapacity?: Decimal;
  readonly origin: Origin;
}

/** Additive parts of the ISO 22400-2 figures: OEE = idealSecondsGood / pbtSeconds. */
export interface Kpi {
  readonly pbtSeconds: number;
  readonly aptSeconds: number;
  readonly auptSeconds?: number;
  readonly adetSeconds?: number;
  readonly idealSeconds: number;
  readonly idealSecondsGood: number;
  readonly failureEvents?: number;
  readonly ttrSeconds?: number;
  readonly tbfSeconds?: number;
}

export interface Energy {
  readonly carrier: string;
  readonly unit: string;
  /** As metered; TOE and CO₂e are computed by the receiver from dated tables. */
  readonly quantity: Decimal;
  readonly exported?: Decimal;
  readonly origin: Origin;
}

export type FlagNote =
  | 'manual_entry'
  | 'meter_gap'
  | 'meter_replaced'
  | 'sensor_fault'
  | 'clock_step'
  | 'power_cut'
  | 'late_data'
  | 'rounded'
  | 'bucketed'
  | 'withheld';

/** A word about one value. A value without a flag is normal (`A`). */
export interface QualityFlag {
  /** JSON Pointer into the report. */
  readonly path: string;
  /** SDMX code list OBS_STATUS. */
  readonly obsStatus: string;
  readonly note?: FlagNote;
  /** With `rounded`: significant digits that were kept. */
  readonly digits?: number;
  /** With `bucketed`: the value is the lower end of a bucket this wide. */
  readonly width?: Decimal;
}

/** What software made the report; `sourceHash` commits to the raw data that stay at the factory. */
export interface Lineage {
  readonly agent?: string;
  readonly rulesDigest?: Digest;
  readonly sourceHash?: Digest;
}

/** Detached JWS (RFC 7515, 7797) over the canonical bytes of everything else. */
export interface SignatureBlock {
  readonly kid: string;
  readonly alg: 'Ed25519';
  readonly protected: string;
  readonly signature: string;
  /** Digest of a document that a certification authority's signature seals, where a legal filing needs one. */
  readonly legalSeal?: Digest;
}

/** A report before the policy filter: it names no policy yet. */
export interface ReportContent {
  readonly contract: typeof contractName;
  readonly contractVersion: string;
  /** UUID, new for each revision. */
  readonly reportId: string;
  readonly revision: number;
  /** From revision 2 on: what is replaced. */
  readonly supersedes?: { readonly reportId: string; readonly digest: Digest };
  readonly revisionReason?: RevisionReason;
  readonly status: ReportStatus;
  readonly issuedAt: string;
  readonly reporter: Reporter;
  readonly activity: Activity;
  readonly period: Period;
  readonly coverage: Coverage;
  readonly machines: Machines;
  readonly production: { readonly output: readonly Output[]; readonly kpi?: Kpi };
  readonly energy: readonly Energy[];
  readonly quality: { readonly flags: readonly QualityFlag[] };
  readonly lineage?: Lineage;
}

export interface UnsignedReport extends ReportContent {
  readonly sharing: Sharing;
}

export interface ProductionReport extends UnsignedReport {
  readonly signature: SignatureBlock;
}

/**
 * The series that revisions belong to: enterprise / establishment / from / duration / major version of the contract.
 * (seriesKey, revision) is unique at a receiver.
 */
export function seriesKeyOf(report: Pick<ReportContent, 'reporter' | 'period' | 'contractVersion'>): string {
  const { reporter, period, contractVersion: version } = report;
  return [reporter.enterpriseId, reporter.establishmentId, period.from, period.duration, version.split('.')[0]].join('/');
}

/** A machine's state as it changes: data of a CloudEvents event, sent only with consent. */
export interface MachineStatus {
  /** Pseudonym `m_…`: HMAC with a key that stays at the factory and changes every month. */
  readonly machineRef: string;
  readonly machineClass: string;
  readonly state: MachineState;
  readonly since: string;
  readonly seq: number;
  readonly operationMode?: 'none' | 'maintenance' | 'setup' | 'processing';
  readonly itemState?: 'notAvailable' | 'outOfService' | 'notExecuting' | 'executing';
  readonly packmlState?: number;
  readonly consentId: string;
}
