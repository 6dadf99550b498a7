import { IntervalSet } from '@nhip/core/telemetry/interval-set';
import { type LetterBook, openLetterBook, type StoredLetters } from './letter-book.ts';

/**
 * What ingest remembers of every edge, so that each number ends exactly once: stored, lost or dead-lettered. Part of the
 * checkpoint, written with the samples. Everything is bounded; edges are credentials of the broker.
 */
export interface Book {
  /** The log that the state belongs to; `undefined` for a new one. */
  readonly logId: string | undefined;
  readonly letters: LetterBook;
  /** Streams of an edge, the one used last at the end. The edge comes from the credential's topic: none can speak for another. */
  streams(edge: string): ReadonlyMap<string, StreamAccount>;
  /** Opens the account of a stream that has none, or makes it the one used last. Gives back accounts that had to be closed for it. */
  useStream(
    edge: string,
    stream: string,
  ): { readonly account: StreamAccount; readonly forgotten: readonly (readonly [string, StreamAccount])[] };
  /** Numbers of the loss reports that were taken, by ledger. */
  ledger(edge: string, ledger: string): IntervalSet;
  /** Notes that the record was read. */
  markRead(logId: string, index: number): void;
  /** Whether this store's account has the record: what was in it ended here. */
  hasRead(logId: string, index: number): boolean;
  snapshot(logId: string): Uint8Array;
}

export interface StreamAccount {
  /** Numbers that ended here, and those from before this store knew the edge. */
  readonly seen: IntervalSet;
  /** Whether all numbers from 0 on are accounted for: then what is not seen is missing. */
  isComplete: boolean;
  /** Below it everything was acknowledged to the edge. */
  released: number;
  /** Whether it is the one that the edge last spoke of. */
  isCurrent: boolean;
}

type Intervals = readonly (readonly [number, number])[];
interface StoredSet {
  readonly key: string;
  readonly intervals: Intervals;
}
interface Stored {
  readonly logId: string;
  readonly streams: readonly (StoredSet & { readonly isComplete?: boolean; readonly released?: number; readonly isCurrent?: boolean })[];
  readonly ledgers?: readonly StoredSet[];
  readonly read?: readonly StoredSet[];
  readonly letters?: StoredLetters;
}

/** An edge has one stream, and a new one when its outbox was lost. */
const maxStreamsPerEdge = 8;
const maxLedgersPerEdge = 8;
/** Report numbers come in order; a ledger this scattered repeats old ones at most. */
const maxLedgerIntervals = 64;
const maxLogs = 4;
const maxReadIntervals = 64;

/** `state` as `snapshot` gave it, empty or absent for a new one. */
export function openBook(state?: Uint8Array): Book {
  const stored = state === undefined || state.length === 0 ? undefined : (JSON.parse(new TextDecoder().decode(state)) as Stored);
  const edges = new Map<string, Map<string, StreamAccount>>();
  const ledgers = new Map<string, Map<string, IntervalSet>>();
  const read = new Map<string, IntervalSet>((stored?.read ?? []).map(({ key, intervals }) => [key, new IntervalSet(intervals)]));
  const letters = openLetterBook(stored?.letters);
  for (const { key, intervals, isComplete = false, released = 0, isCurrent = false } of stored?.streams ?? []) {
    const [edge, stream] = splitKey(key);
    inner(edges, edge).set(stream, { seen: new IntervalSet(intervals), isComplete, released, isCurrent });
  }
  for (const { key, intervals } of stored?.ledgers ?? []) {
    const [edge, ledger] = splitKey(key);
    inner(ledgers, edge).set(ledger, new IntervalSet(intervals));
  }

  return {
    logId: stored?.logId,
    letters,
    streams: (edge) => inner(edges, edge),

    useStream(edge, stream) {
      const streams = inner(edges, edge);
      const account = streams.get(stream) ?? { seen: new IntervalSet(), isComplete: false, released: 0, isCurrent: false };
      if (streams.size > 1) streams.delete(stream);
      streams.set(stream, account);
      return { account, forgotten: dropFirst(streams, maxStreamsPerEdge) };
    },

    ledger(edge, ledger) {
      const known = inner(ledgers, edge);
      const numbers = known.get(ledger) ?? new IntervalSet();
      known.delete(ledger);
      known.set(ledger, numbers);
      dropFirst(known, maxLedgersPerEdge);
      if (numbers.intervalCount > maxLedgerIntervals) numbers.closeSmallestGap();
      return numbers;
    },

    markRead(logId, index) {
      let indexes = read.get(logId);
      if (indexes === undefined) {
        indexes = new IntervalSet();
        read.set(logId, indexes);
        dropFirst(read, maxLogs);
      }
      indexes.add(index, index + 1);
      if (indexes.intervalCount > maxReadIntervals) indexes.closeSmallestGap();
    },

    hasRead: (logId, index) => read.get(logId)?.has(index) ?? false,

    snapshot(logId) {
      const streams = flatten(edges, ({ seen, ...rest }) => ({ intervals: seen.intervals(), ...rest }));
      const reports = flatten(ledgers, (numbers) => ({ intervals: numbers.intervals() }));
      const logs = [...read].map(([key, indexes]) => ({ key, intervals: indexes.intervals() }));
      const all: Stored = { logId, streams, ledgers: reports, read: logs, letters: letters.snapshot() };
      return new TextEncoder().encode(JSON.stringify(all));
    },
  };
}

function splitKey(key: string): readonly [string, string] {
  const end = key.lastIndexOf('/');
  return [key.slice(0, end), key.slice(end + 1)];
}

function inner<Value>(outer: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  let map = outer.get(key);
  if (map === undefined) {
    map = new Map();
    outer.set(key, map);
  }
  return map;
}

function dropFirst<Value>(map: Map<string, Value>, size: number): readonly (readonly [string, Value])[] {
  const dropped = [...map].slice(0, Math.max(0, map.size - size));
  for (const [key] of dropped) map.delete(key);
  return dropped;
}

function flatten<Value, Result extends object>(
  outer: ReadonlyMap<string, ReadonlyMap<string, Value>>,
  describe: (value: Value) => Result,
): readonly (Result & { readonly key: string })[] {
  return [...outer].flatMap(([edge, map]) => [...map].map(([name, value]) => ({ key: `${edge}/${name}`, ...describe(value) })));
}
