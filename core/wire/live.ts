import type { LossReason } from './loss.ts';
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

/** `GET /api/v1/stats`: the data path behind the edges: counts since the process started, and how it stands now. */
export interface PipelineStats {
  readonly received: number;
  readonly stored: number;
  readonly repeated: number;
  /** Samples kept as dead letters. */
  readonly deadLettered: number;
  readonly deadLetteredByReason: Readonly<Record<string, number>>;
  /** Samples that the server learned were lost, without dead letters. */
  readonly lost: number;
  readonly lostByReason: Readonly<Partial<Record<LossReason, number>>>;
  /** Records of the server's log given up because of a quota. */
  readonly evicted: number;
  /** Age of the oldest record that is in the log and not yet in the store. */
  readonly lagMs: number;
  /** On the disk, with the tail that is kept for a restored database. */
  readonly logBytes: number;
  readonly logQuotaBytes: number;
  /** Records in the log that are not stored yet. */
  readonly logRecordsBehind: number;
  /** Since when the store takes nothing; null: it does. */
  readonly storeDownSinceMs: number | null;
  /** What is wrong with it then; null: nothing, or it is not known here. */
  readonly storeProblem: StoreProblem | null;
  /** Stores beside the first one, in the order of the configuration. */
  readonly furtherStores: readonly FurtherStore[];
  /** Since when the log refuses what edges send, because it is full; null: it does not. */
  readonly logFullSinceMs: number | null;
}

export interface StoreProblem {
  /** Stable, e.g. `store.diskFull`. */
  readonly code: string;
  /** What is wrong and what to do about it. */
  readonly text: string;
}

/** A store beside the first one: it never delays it, and has what the log still held when it could take it. */
export interface FurtherStore {
  readonly name: string;
  readonly type: string;
  /** Since when it takes nothing; null: it does. */
  readonly downSinceMs: number | null;
  readonly problem: StoreProblem | null;
  /** Records in the log that it does not have yet. */
  readonly recordsBehind: number;
  /** Age of the oldest record that was read for it and is not in it. */
  readonly lagMs: number;
  /** Samples since the process started. */
  readonly stored: number;
  /** Samples that it cannot keep, e.g. texts; since the process started. */
  readonly leftOut: number;
  /** Records that were gone from the log before it could take them; since the process started. */
  readonly missedRecords: number;
  /** Why its closed days cannot be moved to files; null: they can, or it has no such work. */
  readonly upkeepProblem: string | null;
}

/** What became of samples. */
export interface Delivery {
  readonly stored: number;
  readonly lost: number;
  readonly deadLettered: number;
  /** stored / (stored + lost + deadLettered), 0 to 1; null when nothing was produced. */
  readonly completeness: number | null;
}

export function deliveryOf(counts: { readonly stored: number; readonly lost: number; readonly deadLettered: number }): Delivery {
  const { stored, lost, deadLettered } = counts;
  const produced = stored + lost + deadLettered;
  // Replayed dead letters count negative in the hour of their samples, which may be stored under another.
  return { stored, lost, deadLettered, completeness: produced > 0 ? Math.min(1, Math.max(0, stored / produced)) : null };
}

/** How an edge agent is reached and what waits on its disk. */
export interface EdgeConnection {
  /** `<group>/<edge>` */
  readonly id: string;
  readonly online: boolean;
  readonly since: number | null;
  readonly lastSeen: number | null;
  /** Arrival minus sample time of the last live batch, ms: clock skew plus transport. */
  readonly lagMs: number | null;
  /** Samples that wait on the edge's disk, as the edge reports it. */
  readonly outboxRecords: number | null;
  /** While it sends a backlog: how far that has come, so about the time of the oldest sample that waits. */
  readonly backlogAtMs: number | null;
  readonly devices: readonly { readonly id: string; readonly connection: Connection }[];
}

/** `GET /api/v1/health/edges`: connection health and delivery, one row per edge agent. */
export interface EdgeHealth extends EdgeConnection {
  /** Of the last 24 hours; null while it is being counted. */
  readonly delivery24h: Delivery | null;
  /** The newest loss that is not a dead letter. */
  readonly lastLoss: { readonly reason: LossReason; readonly samples: number; readonly atMs: number } | null;
  /** Server certificates that wait for a decision at the edge; null: it meets no servers by certificate. */
  readonly certificatesWaiting: number | null;
}

/** One row of `GET /api/v1/completeness`: one metric in one hour that begins at `t`. Metric '': nobody knows which. */
export interface CompletenessRow extends Delivery {
  readonly metric: string;
  readonly t: number;
}

/** `GET /api/v1/completeness`: what became of the samples of one machine. */
export interface Completeness {
  readonly rows: readonly CompletenessRow[];
  readonly totals: Delivery;
  /** Why samples are missing, most first; a dead letter under its own reason. */
  readonly reasons: readonly { readonly reason: LossReason; readonly samples: number }[];
  /** Samples that the machine's edge lost in the range without anybody knowing whose they were; not part of the totals. */
  readonly unattributed: number;
}
