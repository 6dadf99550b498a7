import type { Connection, MachineState } from './vocabulary.ts';

/**
 * The live protocol between the live service and its viewers (Socket.io and SSE carry the same frames).
 *
 * A viewer gets one `snap`, then a `d` per tick in which something changed, `hb` once a second when nothing did.
 * `seq` grows by one with every `d`; `epoch` is new with every server process. A viewer that misses a `seq` or sees
 * another `epoch` asks for a new snapshot. Applying a delta twice, or a snapshot at any time, is harmless.
 */

/** What the overview shows of one machine. `null`: not known. Times in ms UTC. */
export interface MachineView {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** Line id; '' when the plant model and the birth name none. */
  readonly line: string;
  readonly state: MachineState;
  readonly reason: string | null;
  /** Since when the machine is in this state. */
  readonly since: number | null;
  readonly connection: Connection;
  /** When the newest sample was made, by the edge's clock. */
  readonly lastSample: number | null;
  /** Good pieces in the running shift. */
  readonly countGood: number | null;
  readonly countReject: number | null;
  /** Pieces that the ideal cycle time allows up to now in this shift (planned time only). */
  readonly countIdeal: number | null;
  /** Good pieces per hour over the last 15 minutes. */
  readonly ratePerHour: number | null;
  /** kW */
  readonly powerKw: number | null;
  readonly product: string | null;
  /** Names of active alarms. */
  readonly alarms: readonly string[];
}

/** Fields of a machine that a delta may carry. */
export type MachinePatch = { readonly id: string } & Partial<Omit<MachineView, 'id'>>;

export interface SnapshotFrame {
  readonly k: 'snap';
  readonly epoch: string;
  readonly seq: number;
  /** Server time, ms UTC: viewers compute ages from it. */
  readonly t: number;
  readonly plant: PlantView;
  readonly machines: readonly MachineView[];
}

export interface DeltaFrame {
  readonly k: 'd';
  readonly epoch: string;
  readonly seq: number;
  readonly t: number;
  readonly machines: readonly MachinePatch[];
  /** Machines that are gone. */
  readonly removed?: readonly string[];
}

export interface HeartbeatFrame {
  readonly k: 'hb';
  readonly epoch: string;
  readonly seq: number;
  readonly t: number;
}

/** Metric values of one machine, for viewers of its page; newest only. */
export interface MetricsFrame {
  readonly k: 'm';
  readonly t: number;
  readonly machine: string;
  readonly metrics: readonly MetricView[];
}

export type LiveFrame = SnapshotFrame | DeltaFrame | HeartbeatFrame | MetricsFrame;

/** Socket.io: the server emits `live` with a LiveFrame; the client emits these. */
export const liveEvents = {
  /** server → client: LiveFrame */
  frame: 'live',
  /** client → server: no argument; the server answers with a `snap` frame. */
  resync: 'resync',
  /** client → server: a machine id, or null; `m` frames of that machine follow. */
  watch: 'watch',
  /** client → server: the last seq applied, once a second. */
  ack: 'ack',
} as const;

export interface PlantView {
  readonly name: LocalName;
  readonly timeZone: string;
  readonly lines: readonly { readonly id: string; readonly name: LocalName; readonly machines: readonly string[] }[];
  /** The running shift; null outside of shifts. */
  readonly shift: { readonly id: string; readonly name: LocalName; readonly from: number; readonly to: number } | null;
  /** What the plant model says of its machines, by id; a machine that it does not name goes by its birth. */
  readonly machines?: Readonly<Record<string, PlantMachineView>>;
  /** Names of the codes that machines report as reasons; a code without a name is shown as it is. */
  readonly reasons?: Readonly<Record<string, LocalName>>;
}

export interface PlantMachineView {
  readonly name: LocalName;
  readonly kind: LocalName;
  readonly role: 'machine' | 'meter';
  /** Meters: the line whose machines they measure, or `all`. */
  readonly measures?: string;
}

export interface LocalName {
  readonly vi: string;
  readonly en: string;
}

export interface MetricView {
  readonly name: string;
  /** Current value; bigint as decimal text. */
  readonly v: number | boolean | string | null;
  readonly t: number;
  readonly unit: string | null;
  /** 192 good, 500 stale, 0 bad (Sparkplug quality). */
  readonly q: number;
}

/** `GET /api/v1/machines/{id}/states`: what one machine did, contiguous, oldest first. */
export interface StateInterval {
  readonly from: number;
  /** Open interval: `to` is the end of the asked range or now. */
  readonly to: number;
  readonly state: MachineState;
  readonly reason: string | null;
}

/** `GET /api/v1/stats`: the pipeline in numbers since the process started. */
export interface PipelineStats {
  readonly received: number;
  readonly stored: number;
  readonly repeated: number;
  readonly deadLettered: number;
  readonly evicted: number;
  /** Age of the oldest record that is in the log and not yet in the store. */
  readonly lagMs: number;
}

/** `GET /api/v1/health/edges`: connection health, one row per edge agent. */
export interface EdgeHealth {
  /** `<group>/<edge>` */
  readonly id: string;
  readonly online: boolean;
  readonly since: number | null;
  readonly lastSeen: number | null;
  /** Arrival minus sample time of the last live batch, ms: clock skew plus transport. */
  readonly lagMs: number | null;
  /** Samples that wait on the edge's disk, as the edge reports it. */
  readonly outboxRecords: number | null;
  readonly devices: readonly { readonly id: string; readonly connection: Connection }[];
}
