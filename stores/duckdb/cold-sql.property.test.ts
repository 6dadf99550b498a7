import { DOUBLE, DuckDBInstance, LIST, listValue } from '@duckdb/node-api';
import { counterIncrease } from '@nhip/core/kpi/counter';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { increase } from './cold-sql.ts';

let instance: DuckDBInstance;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
});
afterAll(() => instance.closeSync());

const reading = fc.oneof(fc.nat(100), fc.double(), fc.constantFrom(-0, 0, -1, NaN, Infinity, -Infinity));

describe('what a counter gained', () => {
  it('is the same in files as in the figures of a shift', async () => {
    const connection = await instance.connect();
    const pairs = fc.array(fc.tuple(fc.option(reading), reading), { minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(pairs, async (drawn) => {
        const [before, now] = [drawn.map(([value]) => value), drawn.map(([, value]) => value)];
        const sql = `SELECT (${increase('before', 'now')})::DOUBLE FROM (SELECT unnest($before) AS before, unnest($now) AS now)`;
        const lists = { before: listValue(before), now: listValue(now) };
        const result = await connection.runAndReadAll(sql, lists, { before: LIST(DOUBLE), now: LIST(DOUBLE) });
        const expected = drawn.map(([previous, next]) => counterIncrease(previous, next));
        // Neither zero means anything.
        expect(result.getRows().map(([gain]) => Number(gain) + 0)).toEqual(expected.map((gain) => gain + 0));
      }),
      { numRuns: 30 },
    );
    connection.closeSync();
  });
});
