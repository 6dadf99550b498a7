import {
  bdSeq,
  identityDeclaration,
  logRecord,
  lossReport,
  namedIdentity,
  released,
  sparkplug,
  streamId,
} from '@nhip/core/telemetry/testing/messages';
import type { LossReason, LossReport } from '@nhip/core/wire/loss';
import type { ResendRequest } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';

/** What becomes of one message on its way: kept in the log or not, and whether the edge hears of it. `half`: cut anew, the rest is lost. */
export type Passage = 'acknowledged' | 'answerLost' | 'half' | 'lost';

/** Sends to the log; resolves when it is there. */
export type Append = (payload: Uint8Array) => Promise<void>;

/** How the values of a number look. */
export type Kind = 'good' | 'notANumber' | 'tooOld' | 'broken';

/** Alias 2 with a value in the extension field, which nobody defined: its frame is sound, its content is not. */
const brokenMetric = [0x12, 5, 0x10, 2, 0x9a, 0x01, 0];

interface Message {
  readonly from: number;
  readonly to: number;
}

/**
 * An edge as the design of the delivery guarantee describes it, without its disk: numbers, acknowledgements, eviction with reports,
 * a kept tail, answers to resend requests. Value n of stream s is `s × 10⁶ + n`.
 */
export class ModelEdge {
  stream = 1;
  /** Numbers given so far, by stream. */
  readonly produced = new Map<number, number>([[1, 0]]);
  #messages: Message[] = [];
  #reports: LossReport[] = [];
  #reportNo = 0;
  /** Oldest number that a resend could still bring. */
  #tailFrom = 0;
  readonly #kinds = new Map<number, Kind>();
  readonly #append: Append;
  readonly #now: () => number;

  constructor(append: Append, now: () => number) {
    this.#append = append;
    this.#now = now;
  }

  get end(): number {
    return this.produced.get(this.stream) ?? 0;
  }

  /** Below it everything is acknowledged, or in a report that is. */
  get released(): number {
    const open = [
      ...this.#messages.map(({ from }) => from),
      ...this.#reports.filter((r) => r.stream === streamId(this.stream)).map((r) => r.seqFrom),
    ];
    return Math.min(this.end, ...open);
  }

  produce(count: number, kind: Kind): void {
    for (let n = this.end; n < this.end + count; n++) this.#kinds.set(n, kind);
    this.#messages.push({ from: this.end, to: this.end + count });
    this.produced.set(this.stream, this.end + count);
  }

  async born(): Promise<void> {
    await this.#append(
      sparkplug(0, 'NBIRTH', '', 0, [bdSeq(0), released(this.stream, this.released)], { receivedMs: this.#now() }).payload,
    );
    const birth = [identityDeclaration(1), { name: 'A', alias: 2, dataType: dataType.Double, value: null }];
    await this.#append(sparkplug(0, 'DBIRTH', 'd', undefined, birth, { receivedMs: this.#now() }).payload);
  }

  async tell(): Promise<void> {
    await this.#append(sparkplug(0, 'NDATA', '', undefined, [released(this.stream, this.released)], { receivedMs: this.#now() }).payload);
  }

  /** Sends the `i`-th message that is not acknowledged. */
  async send(i: number, passage: Passage): Promise<void> {
    const message = this.#messages[i % Math.max(1, this.#messages.length)];
    if (message === undefined) return;
    const { from, to } = message;
    if (passage === 'half') await this.#append(this.#data({ from, to: from + Math.ceil((to - from) / 2) }));
    else if (passage !== 'lost') await this.#append(this.#data(message));
    if (passage === 'acknowledged') this.#messages = this.#messages.filter((other) => other !== message);
  }

  async report(passage: Passage): Promise<void> {
    const [report] = this.#reports;
    if (report === undefined) return;
    const metrics = [released(this.stream, this.released), lossReport(report)];
    if (passage !== 'lost' && passage !== 'half')
      await this.#append(sparkplug(0, 'NDATA', '', undefined, metrics, { receivedMs: this.#now() }).payload);
    if (passage === 'acknowledged') this.#reports = this.#reports.filter((other) => other !== report);
  }

  /** Gives up the oldest message, whether it was sent or not. */
  evict(): void {
    const oldest = this.#messages.shift();
    if (oldest === undefined) return;
    this.#tailFrom = Math.max(this.#tailFrom, oldest.to);
    this.#giveUp('outboxQuota', oldest);
  }

  /** The kept tail goes; what is not acknowledged stays. */
  forgetTail(): void {
    this.#tailFrom = this.released;
  }

  /** The outbox is lost as a whole: what was not sent is gone with it. */
  replaceOutbox(): void {
    this.stream++;
    this.produced.set(this.stream, 0);
    this.#messages = [];
    this.#reports = [];
    this.#tailFrom = 0;
    this.#kinds.clear();
  }

  /** Sends what the kept tail has, a little more than was asked for and cut anew, and reports the rest. */
  async answer({ stream, from, to }: ResendRequest): Promise<void> {
    if (stream !== streamId(this.stream)) return;
    const gone = { from, to: Math.min(to, Math.max(from, this.#tailFrom)) };
    if (gone.to > gone.from) this.#giveUp('outboxGone', gone);
    const end = Math.min(to + 1, this.end);
    for (let at = Math.max(this.#tailFrom, gone.to - 2); at < end; at += 3)
      await this.#append(this.#data({ from: at, to: Math.min(at + 3, end) }));
  }

  get isIdle(): boolean {
    return this.#messages.length === 0 && this.#reports.length === 0;
  }

  kindOf(n: number): Kind {
    return this.#kinds.get(n) ?? 'good';
  }

  #giveUp(reason: LossReason, { from, to }: Message): void {
    const row = { device: 'd', metric: 'A', samples: to - from, fromMs: this.#now(), toMs: this.#now() };
    const numbers = { stream: streamId(this.stream), seqFrom: from, seqTo: to, fromMs: this.#now(), toMs: this.#now() };
    this.#reports.push({ ledger: 'ab'.repeat(16), no: this.#reportNo++, reason, ...numbers, rows: [row] });
  }

  #data({ from, to }: Message): Uint8Array {
    const nowMs = this.#now();
    const numbers = Array.from({ length: to - from }, (_, i) => from + i);
    const mark = namedIdentity(this.stream, from);
    if (numbers.some((n) => this.kindOf(n) === 'broken')) {
      const head = encodePayload({ timestampMs: nowMs, metrics: [mark] });
      const payload = Uint8Array.from([...head, ...numbers.flatMap(() => brokenMetric)]);
      return logRecord(0, 'spBv1.0/g/DDATA/e/d', payload, nowMs).payload;
    }
    const metrics = [mark, ...numbers.map((n) => this.#metric(n, nowMs))];
    return sparkplug(0, 'DDATA', 'd', undefined, metrics, { receivedMs: nowMs, timestampMs: nowMs }).payload;
  }

  #metric(n: number, nowMs: number): Metric {
    const kind = this.kindOf(n);
    const value = kind === 'notANumber' ? Number.NaN : this.stream * 1_000_000 + n;
    return { alias: 2, timestampMs: kind === 'tooOld' ? 1000 : nowMs, dataType: dataType.Double, value };
  }
}
