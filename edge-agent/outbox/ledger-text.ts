import type { LossReason } from '@nhip/core/wire/loss';
import type { LossEntry } from './loss-entries.ts';
import { LossTally } from './loss-tally.ts';

/** A stream and the first index of the log at which its records can be. */
export interface StreamStart {
  /** 32 hex digits. */
  readonly stream: string;
  readonly firstIndex: number;
}

export interface Reached {
  /** Of the next record. */
  readonly index: number;
  /** Of the next sample behind the last one on disk. */
  readonly seq: number;
}

/** Samples that have no numbers yet: they get them when their report is made. */
export interface Unnumbered {
  readonly reason: LossReason;
  readonly tally: LossTally;
}

/** A report that may be on its way: it never changes until it is acknowledged. */
export interface SealedEntry extends LossEntry {
  readonly no: number;
}

/** What the ledger remembers. */
export interface LedgerContent {
  readonly id: string;
  /** Number of the next report. */
  readonly nextNo: number;
  /** Id of the log that the streams are in. */
  readonly logId: string;
  /** Oldest first; the last is the current one. */
  readonly streams: readonly StreamStart[];
  /** Numbers of the current stream below this may be part of a report. */
  readonly highest: number;
  /** How far the log and the current stream had come, when it was written. */
  readonly reached: Reached;
  /** Numbers of the current stream below it were acknowledged or are part of an acknowledged report. */
  readonly releasedSeq: number;
  /** Written at a clean stop: `reached` is exact. */
  readonly isStopped: boolean;
  /** Wall time of the last clean stop; 0 for none. */
  readonly stoppedMs: number;
  readonly sealed: SealedEntry | undefined;
  readonly entries: readonly LossEntry[];
  readonly unnumbered: readonly Unnumbered[];
}

/** Samples, span, and five numbers per row: name, samples, hour, first and last ms within it. */
type TallyText = readonly [samples: number, fromMs: number, toMs: number, rows: readonly number[]];
type EntryText = readonly [reason: LossReason, stream: string, seqFrom: number, seqTo: number, tally: TallyText];

/** Names stand once, times are told within their hour: an outage of a day with a thousand metrics stays below a megabyte. */
interface LedgerText extends Omit<LedgerContent, 'sealed' | 'entries' | 'unnumbered'> {
  readonly names: readonly (readonly [device: string, metric: string])[];
  readonly sealed: readonly [no: number, entry: EntryText] | null;
  readonly entries: readonly EntryText[];
  readonly unnumbered: readonly (readonly [reason: LossReason, tally: TallyText])[];
}

const hourMs = 3_600_000;

export function encodeLedger({ sealed, entries, unnumbered, ...rest }: LedgerContent): Uint8Array {
  const names = new Map<string, number>();
  const tallyText = (tally: LossTally): TallyText => {
    const rows: number[] = [];
    for (const { device, metric, samples, fromMs, toMs } of tally.list()) {
      const name = JSON.stringify([device, metric]);
      const known = names.get(name) ?? names.size;
      names.set(name, known);
      const hour = Math.floor(fromMs / hourMs);
      rows.push(known, samples, hour, fromMs - hour * hourMs, toMs - hour * hourMs);
    }
    return [tally.samples, tally.fromMs, tally.toMs, rows];
  };
  const entryText = ({ reason, stream, seqFrom, seqTo, tally }: LossEntry): EntryText => [reason, stream, seqFrom, seqTo, tallyText(tally)];
  const body = {
    ...rest,
    sealed: sealed === undefined ? null : [sealed.no, entryText(sealed)],
    entries: entries.map(entryText),
    unnumbered: unnumbered.map(({ reason, tally }) => [reason, tallyText(tally)]),
  };
  const nameTexts = [...names.keys()].join(',');
  return new TextEncoder().encode(`{"names":[${nameTexts}],${JSON.stringify(body).slice(1)}`);
}

/** Reads what `encodeLedger` wrote; a CRC has told that it is that. */
export function decodeLedger(bytes: Uint8Array): LedgerContent {
  const { names, sealed, entries, unnumbered, ...rest }: LedgerText = JSON.parse(new TextDecoder().decode(bytes));
  const tallyOf = ([samples, fromMs, toMs, rows]: TallyText): LossTally => {
    const tally = new LossTally();
    tally.addUnknown(samples, fromMs, toMs);
    for (let i = 0; i + 5 <= rows.length; i += 5) {
      const [name = 0, count = 0, hour = 0, first = 0, last = 0] = rows.slice(i, i + 5);
      const [device, metric] = names[name] ?? ['', ''];
      tally.addRow({ device, metric, samples: count, fromMs: hour * hourMs + first, toMs: hour * hourMs + last });
    }
    return tally;
  };
  const entryOf = ([reason, stream, seqFrom, seqTo, tally]: EntryText): LossEntry => ({
    reason,
    stream,
    seqFrom,
    seqTo,
    tally: tallyOf(tally),
  });
  return {
    ...rest,
    sealed: sealed === null ? undefined : { ...entryOf(sealed[1]), no: sealed[0] },
    entries: entries.map(entryOf),
    unnumbered: unnumbered.map(([reason, tally]) => ({ reason, tally: tallyOf(tally) })),
  };
}
