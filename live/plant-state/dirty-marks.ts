import type { DuckDBConnection } from '@duckdb/node-api';
import type { Span } from '@nhip/core/kpi/span';
import type { Database } from './database.ts';

export type DirtyCause = 'correction' | 'plantModel' | 'lateData';

/** What must be computed again. */
export interface Dirty extends Span {
  readonly machine: string;
  readonly cause: DirtyCause;
}

/**
 * Marks of what must be computed again. People go on writing while figures are computed, so a mark is seen only when what was written
 * with it is committed, each mark is an object of its own, and clearing one that was made again since leaves it: whoever computed for
 * the older one may not have read what the newer one is for.
 */
export interface DirtyMarks {
  list(): readonly Dirty[];
  /** Writes a mark in a transaction; the caller calls what it resolves with when that is committed. */
  mark(connection: DuckDBConnection, dirty: Dirty): Promise<() => void>;
  /** Takes the span out of one of `list()`, if it is still there. */
  clear(done: Dirty, span: Span): Promise<void>;
}

/** `machines`: those of which something is stored or may be computed right now; marks of others are left out. */
export async function createDirtyMarks(database: Database, machines: ReadonlyMap<string, { readonly id: number }>): Promise<DirtyMarks> {
  let list = await readDirty(database, machines);

  const mark: DirtyMarks['mark'] = async (connection, { machine, from, to, cause }) => {
    const id = machines.get(machine)?.id;
    if (id === undefined) return () => {};
    await connection.run('INSERT INTO dirty VALUES ($id, $from::BIGINT, $to::BIGINT, $cause)', { id, from, to, cause });
    const marked = { machine, from, to, cause };
    return () => {
      list = [...list.filter((each) => !isSame(each, marked)), marked];
    };
  };

  return {
    list: () => list,
    mark,
    async clear(done, span) {
      const rest = [
        { ...done, to: Math.min(done.to, span.from) },
        { ...done, from: Math.max(done.from, span.to) },
      ].filter(({ from, to }) => from < to);
      const work = async (connection: DuckDBConnection): Promise<readonly (() => void)[]> => {
        if (!list.includes(done)) return [];
        const { machine, from, to, cause } = done;
        await connection.run(
          'DELETE FROM dirty WHERE machine = $id AND from_ms = $from::BIGINT AND to_ms = $to::BIGINT AND cause = $cause',
          { id: machines.get(machine)?.id ?? -1, from, to, cause },
        );
        const shown = [
          () => {
            list = list.filter((each) => each !== done);
          },
        ];
        for (const each of rest) shown.push(await mark(connection, each));
        return shown;
      };
      await database.write(work, (shown) => {
        for (const show of shown) show();
      });
    },
  };
}

async function readDirty(database: Database, machines: ReadonlyMap<string, { readonly id: number }>): Promise<readonly Dirty[]> {
  const names = new Map([...machines].map(([machine, { id }]) => [id, machine]));
  // Marked twice is two rows, cleared together.
  const rows = await database.read((query) => query('SELECT DISTINCT machine, from_ms, to_ms, cause FROM dirty'));
  return rows.map(([id, from, to, cause]) => ({
    ...{ machine: names.get(Number(id)) ?? '', from: Number(from), to: Number(to), cause: String(cause) as DirtyCause },
  }));
}

function isSame(a: Dirty, b: Dirty): boolean {
  return a.machine === b.machine && a.from === b.from && a.to === b.to && a.cause === b.cause;
}
