import { type Correction, heldCorrections, maxOpenMs } from '@nhip/core/kpi/corrections';
import type { Span } from '@nhip/core/kpi/span';
import type { Database, Query } from './database.ts';
import type { DirtyMarks } from './dirty-marks.ts';

/** What people said about stops: an append-only list, the same for ever. */
export interface CorrectionLog {
  /** Adds an entry and marks `affected` to be computed again. Durable when it resolves. */
  append(draft: CorrectionDraft, affected: Span): Promise<Correction>;
  /**
   * By machine, oldest first: the entries that touch the span, and those that replaced one of them; so what holds in the span can be
   * told from the answer alone.
   */
  touching(machines: readonly string[], span: Span): Promise<ReadonlyMap<string, readonly Correction[]>>;
  /** Entries that hold, have no end and began after `sinceMs`. */
  open(sinceMs: number): Promise<readonly Correction[]>;
}

type WithoutId<Entry> = Entry extends Correction ? Omit<Entry, 'id'> : never;
export type CorrectionDraft = WithoutId<Correction>;

/** Time that an entry may touch: its own, with that of the entries that it replaces. */
interface StoredSpan {
  readonly from: number;
  readonly to: number;
}

export async function createCorrectionLog(database: Database, dirty: Pick<DirtyMarks, 'mark'>): Promise<CorrectionLog> {
  let lastSeq = await database.read(async (query) => Number((await query('SELECT coalesce(max(seq), 0) FROM corrections'))[0]?.[0] ?? 0));

  return {
    async append(draft, affected) {
      const replacedSpan = draft.replaces === undefined ? undefined : await database.read((query) => spanOf(query, draft.replaces ?? ''));
      const seq = ++lastSeq;
      const entry = { ...draft, id: idOf(seq) } as Correction;
      const { from, to } = union(ownSpan(entry), replacedSpan);
      await database.write(
        async (connection) => {
          const values = { seq, machine: entry.machine, from, to, entry: JSON.stringify(entry) };
          await connection.run('INSERT INTO corrections VALUES ($seq::BIGINT, $machine, $from::BIGINT, $to::BIGINT, $entry)', values);
          return dirty.mark(connection, { machine: entry.machine, ...affected, cause: 'correction' });
        },
        (show) => show(),
      );
      return entry;
    },
    async touching(machines, { from, to }) {
      const rows = await database.read((query) =>
        query('SELECT machine, entry FROM corrections WHERE from_ms < $to::BIGINT AND to_ms > $from::BIGINT ORDER BY seq', { from, to }),
      );
      const wanted = new Set(machines);
      const found = new Map<string, Correction[]>();
      for (const [machine, entry] of rows) {
        if (!wanted.has(String(machine))) continue;
        const list = found.get(String(machine)) ?? [];
        list.push(JSON.parse(String(entry)) as Correction);
        found.set(String(machine), list);
      }
      return found;
    },
    async open(sinceMs) {
      const rows = await database.read((query) =>
        query('SELECT entry FROM corrections WHERE from_ms >= $since::BIGINT AND to_ms - from_ms >= $open::BIGINT ORDER BY seq', {
          since: sinceMs,
          open: maxOpenMs,
        }),
      );
      // What replaced one of them has its span too, so it is among them.
      const held = heldCorrections(rows.map(([entry]) => JSON.parse(String(entry)) as Correction));
      return held.filter((entry) => entry.kind === 'reclassify' && entry.toMs === null);
    },
  };
}

/** Ids sort as the entries do. */
function idOf(seq: number): string {
  return `c${String(seq).padStart(12, '0')}`;
}

async function spanOf(query: Query, id: string): Promise<StoredSpan | undefined> {
  const rows = await query('SELECT from_ms, to_ms FROM corrections WHERE seq = $seq::BIGINT', { seq: Number(id.slice(1)) });
  return rows[0] === undefined ? undefined : { from: Number(rows[0][0]), to: Number(rows[0][1]) };
}

function ownSpan(entry: Correction): StoredSpan | undefined {
  switch (entry.kind) {
    case 'withdraw':
      return undefined;
    case 'split':
      return { from: entry.splitMs, to: entry.splitMs + 1 };
    default:
      return { from: entry.fromMs, to: entry.toMs ?? entry.fromMs + maxOpenMs };
  }
}

function union(a: StoredSpan | undefined, b: StoredSpan | undefined): StoredSpan {
  if (a === undefined || b === undefined) return a ?? b ?? { from: 0, to: 0 };
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}
