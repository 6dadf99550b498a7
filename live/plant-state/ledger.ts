import type { DuckDBConnection } from '@duckdb/node-api';
import type { Span } from '@nhip/core/kpi/span';
import { appendTo } from '@nhip/stores/duckdb/append-to';
import type { Database } from './database.ts';
import { createDirtyMarks, type Dirty, type DirtyCause, type DirtyMarks } from './dirty-marks.ts';
import { type LedgerSums, readSums, type SumsQuery } from './ledger-sums.ts';
import { appendSegments, fingerprintOf, type NewSegment, retire, type Segment, storedSegments } from './segments.ts';

/** What the ledger knows of a machine. */
export interface LedgerMachine {
  /** Time that is stored, without a hole; undefined: none. */
  readonly stored: Span | undefined;
  /** When the history that figures come of begins, undefined while nobody looked, null when there is none. */
  readonly firstMs: number | null | undefined;
}

export interface SegmentWrite extends Span {
  readonly machine: string;
  /** They cover the span, which begins or ends at what is stored, or is within it. */
  readonly segments: readonly Segment[];
  /** Of what they were computed with. */
  readonly config: string;
  /** Samples of the machine in the history, by hour. */
  readonly hours: ReadonlyMap<number, number>;
  readonly cause: DirtyCause | 'closed';
}

/** Figures of closed segments, and how often they were restated. */
export interface Ledger {
  machine(machine: string): LedgerMachine;
  /** Writes segments in one transaction; those whose figures are the same stay as they are. Resolves with what was restated. */
  replace(
    writes: readonly SegmentWrite[],
    nowMs: number,
  ): Promise<readonly { readonly machine: string; readonly changed: readonly Span[] }[]>;
  /** Comes before the first figures of a machine: marks are kept of the machines that the ledger knows. */
  setFirst(machine: string, firstMs: number | null): Promise<void>;
  sums(query: SumsQuery): Promise<LedgerSums>;
  /** Samples that the history held when the figures of an hour were computed; hours without are left out. */
  hours(machine: string, span: Span): Promise<ReadonlyMap<number, number>>;
  /** Remembers more samples of an hour than before, never less. */
  keepHours(machine: string, hours: ReadonlyMap<number, number>): Promise<void>;
  /** Ids of the inputs that the segments of the span were computed with. */
  configs(machine: string, span: Span): Promise<readonly string[]>;
  dirty(): readonly Dirty[];
  markDirty(list: readonly Dirty[], setting?: { readonly name: string; readonly value: string }): Promise<void>;
  /** Takes a span out of one of `dirty()`, unless it was marked again since then. */
  clearDirty(done: Dirty, span: Span): Promise<void>;
  setting(name: string): Promise<string | undefined>;
  stats(): LedgerStats;
}

export interface LedgerStats {
  readonly machines: number;
  readonly segments: number;
  /** Since the start. */
  readonly restated: Readonly<Record<DirtyCause, number>>;
}

interface MachineRow {
  readonly id: number;
  stored: Span | undefined;
  firstMs: number | null | undefined;
}

export async function createLedger(database: Database): Promise<{ readonly ledger: Ledger; readonly dirty: DirtyMarks }> {
  const machines = await readMachines(database);
  const dirty = await createDirtyMarks(database, machines);
  let segmentCount = await database.read(async (query) => Number((await query('SELECT count(*)::DOUBLE FROM segments'))[0]?.[0] ?? 0));
  const restated: Record<DirtyCause, number> = { correction: 0, plantModel: 0, lateData: 0 };

  /** In a transaction of its own: an id that was given is kept, whatever becomes of the write that needed it. */
  async function rowOf(machine: string): Promise<MachineRow> {
    const known = machines.get(machine);
    if (known !== undefined) return known;
    return database.write(async (connection) => {
      const again = machines.get(machine);
      if (again !== undefined) return again;
      const row: MachineRow = { id: machines.size, stored: undefined, firstMs: undefined };
      await connection.run('INSERT INTO machines VALUES ($id, $machine, NULL)', { id: row.id, machine });
      machines.set(machine, row);
      return row;
    });
  }

  function idOf(machine: string): number {
    return machines.get(machine)?.id ?? -1;
  }

  async function replaceOne(connection: DuckDBConnection, write: SegmentWrite, nowMs: number): Promise<readonly Span[]> {
    const id = idOf(write.machine);
    const before = await storedSegments(connection, id, write);
    const fresh: NewSegment[] = [];
    const gone = new Set(before);
    for (const segment of write.segments) {
      const same = before.find(({ from, to }) => from === segment.from && to === segment.to);
      const fingerprint = fingerprintOf(segment.sums);
      if (same?.fingerprint === fingerprint) {
        gone.delete(same);
        continue;
      }
      const replaced = before.filter(({ from, to }) => from < segment.to && to > segment.from);
      const revision = Math.max(0, ...replaced.map((each) => each.revision)) + 1;
      fresh.push({ ...segment, revision, fingerprint });
    }
    const { cause } = write;
    await retire(connection, id, [...gone], { nowMs, cause });
    await appendSegments(connection, id, fresh, { nowMs, config: write.config });
    if (before.some((segment) => !gone.has(segment) && segment.config !== write.config)) {
      const span = { id, from: write.from, to: write.to, config: write.config };
      await connection.run(
        'UPDATE segments SET config = $config WHERE machine = $id AND from_ms >= $from::BIGINT AND to_ms <= $to::BIGINT',
        span,
      );
    }
    await writeHours(connection, id, write.hours);
    segmentCount += fresh.length - gone.size;
    return fresh.filter(({ revision }) => revision > 1);
  }

  const ledger: Ledger = {
    machine(machine) {
      const row = machines.get(machine);
      return { stored: row?.stored, firstMs: row?.firstMs };
    },
    async replace(writes, nowMs) {
      const count = segmentCount;
      for (const { machine } of writes) await rowOf(machine);
      try {
        const results = await database.write(async (connection) => {
          const changed: { machine: string; changed: readonly Span[] }[] = [];
          for (const write of writes) changed.push({ machine: write.machine, changed: await replaceOne(connection, write, nowMs) });
          return changed;
        });
        for (const [i, write] of writes.entries()) {
          const row = machines.get(write.machine);
          if (row !== undefined && write.segments.length > 0) row.stored = widen(row.stored, write);
          if (write.cause !== 'closed') restated[write.cause] += results[i]?.changed.length ?? 0;
        }
        return results;
      } catch (error) {
        segmentCount = count;
        throw error;
      }
    },
    async setFirst(machine, firstMs) {
      const row = await rowOf(machine);
      await database.write(async (connection) => {
        // 0 stands for "no history".
        await connection.run('UPDATE machines SET first_ms = $first::BIGINT WHERE id = $id', { id: row.id, first: firstMs ?? 0 });
      });
      row.firstMs = firstMs;
    },
    sums: (query) => database.read((ask) => readSums(ask, query, (machine) => machines.get(machine)?.id)),
    async hours(machine, { from, to }) {
      const id = machines.get(machine)?.id;
      if (id === undefined) return new Map();
      const rows = await database.read((query) =>
        query('SELECT hour_ms, stored FROM hours WHERE machine = $id AND hour_ms >= $from::BIGINT AND hour_ms < $to::BIGINT', {
          id,
          from,
          to,
        }),
      );
      return new Map(rows.map(([hour, stored]) => [Number(hour), Number(stored)]));
    },
    async keepHours(machine, hours) {
      await database.write(async (connection) => {
        for (const [hour, stored] of hours) {
          const row = { id: idOf(machine), hour, stored };
          await connection.run(
            'UPDATE hours SET stored = greatest(stored, $stored::BIGINT) WHERE machine = $id AND hour_ms = $hour::BIGINT',
            row,
          );
        }
      });
    },
    async configs(machine, { from, to }) {
      const id = machines.get(machine)?.id;
      if (id === undefined) return [];
      const rows = await database.read((query) =>
        query('SELECT DISTINCT config FROM segments WHERE machine = $id AND from_ms < $to::BIGINT AND to_ms > $from::BIGINT', {
          id,
          from,
          to,
        }),
      );
      return rows.map(([config]) => String(config));
    },
    dirty: dirty.list,
    async markDirty(list, setting) {
      const work = async (connection: DuckDBConnection): Promise<readonly (() => void)[]> => {
        const shown: (() => void)[] = [];
        for (const each of list) shown.push(await dirty.mark(connection, each));
        if (setting === undefined) return shown;
        await connection.run('DELETE FROM settings WHERE name = $name', { name: setting.name });
        await connection.run('INSERT INTO settings VALUES ($name, $value)', setting);
        return shown;
      };
      await database.write(work, (shown) => {
        for (const show of shown) show();
      });
    },
    clearDirty: dirty.clear,
    setting: (name) =>
      database.read(async (query) => {
        const value = (await query('SELECT value FROM settings WHERE name = $name', { name }))[0]?.[0];
        return value === undefined ? undefined : String(value);
      }),
    stats: () => ({ machines: machines.size, segments: segmentCount, restated }),
  };
  return { ledger, dirty };
}

async function readMachines(database: Database): Promise<Map<string, MachineRow>> {
  const rows = await database.read((query) =>
    query(`SELECT machine, id, first_ms, s.a, s.b FROM machines LEFT JOIN
      (SELECT machine AS id, min(from_ms) AS a, max(to_ms) AS b FROM segments GROUP BY machine) s USING (id) ORDER BY id`),
  );
  return new Map(
    rows.map(([machine, id, first, from, to]) => {
      const stored = from === null || to === null ? undefined : { from: Number(from), to: Number(to) };
      const firstMs = first === null ? undefined : Number(first) === 0 ? null : Number(first);
      return [String(machine), { id: Number(id), stored, firstMs }];
    }),
  );
}

async function writeHours(connection: DuckDBConnection, machine: number, hours: ReadonlyMap<number, number>): Promise<void> {
  if (hours.size === 0) return;
  const times = [...hours.keys()];
  const span = { machine, from: Math.min(...times), to: Math.max(...times) };
  await connection.run('DELETE FROM hours WHERE machine = $machine AND hour_ms >= $from::BIGINT AND hour_ms <= $to::BIGINT', span);
  await appendTo(connection, 'hours', (appender) => {
    for (const [hour, stored] of hours) {
      appender.appendInteger(machine);
      appender.appendBigInt(BigInt(hour));
      appender.appendBigInt(BigInt(stored));
      appender.endRow();
    }
  });
}

function widen(stored: Span | undefined, { from, to }: Span): Span {
  return stored === undefined ? { from, to } : { from: Math.min(stored.from, from), to: Math.max(stored.to, to) };
}
