import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import { createDirtyMarks, type Dirty, type DirtyMarks } from './dirty-marks.ts';

const machine = 'hoalac/press/M01';
const machines = new Map([[machine, { id: 0 }]]);
const days: Dirty = { machine, from: 100, to: 300, cause: 'correction' };

let folder: string;
let database: Database;
let marks: DirtyMarks;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-marks-'));
  database = await openDatabase(join(folder, 'state.duckdb'));
  marks = await createDirtyMarks(database, machines);
});
afterEach(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

const make = (dirty = days) =>
  database.write(
    (connection) => marks.mark(connection, dirty),
    (show) => show(),
  );
const afterRestart = async () => (await createDirtyMarks(database, machines)).list();

describe('marks of what must be computed again', () => {
  it('are seen when what was written with them is, not before', async () => {
    const seen = await database.write(
      async (connection) => {
        const show = await marks.mark(connection, days);
        return { show, list: marks.list() };
      },
      ({ show }) => show(),
    );
    expect(seen.list).toEqual([]);
    expect(marks.list()).toEqual([days]);
  });

  it('stay when they were made again while somebody worked on them', async () => {
    await make();
    const [first] = marks.list();
    await make();
    await marks.clear(first as Dirty, days);
    expect(marks.list()).toEqual([days]);
    expect(await afterRestart()).toEqual([days]);
    const [second] = marks.list();
    await marks.clear(second as Dirty, days);
    expect(marks.list()).toEqual([]);
    expect(await afterRestart()).toEqual([]);
  });

  it('stay when they are made again while they are being cleared', async () => {
    await make();
    const [first] = marks.list();
    const again = make();
    await Promise.all([again, marks.clear(first as Dirty, days)]);
    expect(marks.list()).toEqual([days]);
    expect(await afterRestart()).toEqual([days]);
  });

  it('keep the rest of a span of which a part is done', async () => {
    await make();
    await marks.clear(marks.list()[0] as Dirty, { from: 200, to: 400 });
    expect(marks.list()).toEqual([{ ...days, to: 200 }]);
    expect(await afterRestart()).toEqual([{ ...days, to: 200 }]);
  });

  it('are left out for a machine that has no figures', async () => {
    await make({ ...days, machine: 'hoalac/press/M99' });
    expect(marks.list()).toEqual([]);
  });
});
