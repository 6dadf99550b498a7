/** Why samples of a message are not in the batch. Every reason is counted and the message kept as a dead letter. */
export type RejectReason =
  | 'malformedPayload'
  | 'unknownTopic'
  | 'unknownMetric'
  | 'beforeBirth'
  | 'timestampOutOfRange'
  | 'notANumber'
  | 'unsupportedType'
  | 'tooManySeries'
  | 'decoderFault';

/** Places of samples in a message, [from, to): what its outbox identity numbers, counted from 0. */
export type Places = readonly (readonly [number, number])[];

/** Rejected samples of one series in one hour. */
export interface RejectRow {
  /** `<group>/<edge>/<device>`; '' when it is not known. */
  readonly machine: string;
  /** '' when it is not known, e.g. an alias without its birth. */
  readonly metric: string;
  readonly samples: number;
  /** Source times, both in the same hour (UTC); the time of arrival where the source's is no use. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly places: Places;
}

export interface Reject {
  readonly reason: RejectReason;
  /** What exactly, for the person who looks at the dead letter: the first sample of the message with this reason. */
  readonly detail: string;
  /** Samples concerned; 1 when unknown because the message as a whole could not be read. */
  readonly samples: number;
  /** Whose they are. What is no sample (a metric that a birth could not declare) is in none. */
  readonly rows: readonly RejectRow[];
}

/** One sample that is not taken. */
export interface RejectedSample {
  readonly machine: string;
  readonly metric: string;
  readonly timeMs: number;
  readonly place: number;
}

interface OpenRow {
  readonly machine: string;
  readonly metric: string;
  samples: number;
  fromMs: number;
  toMs: number;
  readonly places: [number, number][];
}

interface OpenReject {
  readonly reason: RejectReason;
  readonly detail: string;
  samples: number;
  readonly rows: Map<string, OpenRow>;
}

const maxDetailLength = 300;
/** Rows of one message and reason; samples of further series are counted without their metric, so that no message makes many rows. */
const maxRows = 256;
const hourMs = 3_600_000;
const none: readonly Reject[] = [];

/**
 * The rejects of one message, at most one per reason: each is kept with the whole message, so that one reject per sample would let a
 * small message fill the dead letters.
 */
export class Rejects {
  /** Made when the first one comes: nearly every message has none. */
  #byReason: Map<RejectReason, OpenReject> | undefined;

  clear(): void {
    this.#byReason = undefined;
  }

  /** Counts what is no sample of a series. */
  add(reason: RejectReason, detail: string, samples = 1): void {
    this.#open(reason, detail).samples += samples;
  }

  addSample(reason: RejectReason, detail: string, { machine, metric, timeMs, place }: RejectedSample): void {
    const reject = this.#open(reason, detail);
    reject.samples++;
    const key = reject.rows.size < maxRows ? `${Math.floor(timeMs / hourMs)} ${machine} ${metric}` : '';
    let row = reject.rows.get(key);
    if (row === undefined) {
      row = { machine, metric: key === '' ? '' : metric, samples: 0, fromMs: timeMs, toMs: timeMs, places: [] };
      reject.rows.set(key, row);
    }
    row.samples++;
    if (key !== '') {
      row.fromMs = Math.min(row.fromMs, timeMs);
      row.toMs = Math.max(row.toMs, timeMs);
    }
    const last = row.places.at(-1);
    if (last?.[1] === place) last[1] = place + 1;
    else row.places.push([place, place + 1]);
  }

  /** The message as a whole: `samples` of one machine at `timeMs`, wherever they are in it. */
  addWhole(reason: RejectReason, detail: string, machine: string, samples: number, timeMs: number, places: number): void {
    const reject = this.#open(reason, detail);
    reject.samples += samples;
    if (samples > 0) {
      reject.rows.set('', { machine, metric: '', samples, fromMs: timeMs, toMs: timeMs, places: [[0, places]] });
    }
  }

  list(): readonly Reject[] {
    if (this.#byReason === undefined) return none;
    return [...this.#byReason.values()].map(({ rows, ...reject }) => ({ ...reject, rows: [...rows.values()] }));
  }

  #open(reason: RejectReason, detail: string): OpenReject {
    this.#byReason ??= new Map();
    let reject = this.#byReason.get(reason);
    if (reject === undefined) {
      reject = { reason, detail: detail.slice(0, maxDetailLength), samples: 0, rows: new Map() };
      this.#byReason.set(reason, reject);
    }
    return reject;
  }
}
