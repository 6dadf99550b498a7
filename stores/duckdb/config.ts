import { z } from 'zod';

export const duckdbConfig = z.strictObject({
  type: z.literal('duckdb').describe('The embedded store: one DuckDB file, no server'),
  file: z.string().min(1).describe('Path of the database file; its folder must exist'),
  memoryLimitMb: z.int().min(64).default(512).describe('Memory that DuckDB may use, MB'),
  threads: z.int().min(1).max(64).default(2).describe('Threads that DuckDB may use for one query'),
});
export type DuckdbConfig = z.infer<typeof duckdbConfig>;
