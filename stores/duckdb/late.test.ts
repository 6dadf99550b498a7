import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { chooseLate, lateTable } from './late.ts';
import { dayMs, type Slice } from './slices.ts';

const slice = (day: number, hotRows: number): Slice => ({
  ...{ name: String(day), fromMs: day * dayMs, toMs: (day + 1) * dayMs, isWholeDay: true },
  ...{ hotRows, coldRows: 1000, isLate: true },
});

it('of more late days than one round takes, those that retention is about to take go first', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(lateTable);
  const late = Array.from({ length: 40 }, (_, day) => slice(day, day < 2 ? 1 : 500));
  const times = { nowMs: 40 * dayMs, expiringBeforeMs: 2 * dayMs };
  const { due, waiting } = await chooseLate(connection, late, { lateShare: 0.01, lateWaitHours: 72 }, times);
  expect(due).toHaveLength(32);
  expect(due.slice(0, 3)).toEqual([slice(0, 1), slice(1, 1), slice(2, 500)]);
  expect(waiting.map(({ name }) => name)).toEqual(late.slice(32).map(({ name }) => name));
  connection.closeSync();
  instance.closeSync();
});
