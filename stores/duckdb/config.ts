import { z } from 'zod';

const days = z.int().min(1).max(36_500);

export const duckdbConfig = z.strictObject({
  type: z.literal('duckdb').describe('The embedded store: one DuckDB file and Parquet files beside it, no server'),
  file: z
    .string()
    .min(1)
    .describe(
      'Path of the database file; its folder must exist. Closed days lie beside it, for `history.duckdb` in the folder `history.cold`',
    ),
  memoryLimitMb: z.int().min(64).default(512).describe('Memory that DuckDB may use, MB'),
  threads: z.int().min(1).max(64).default(2).describe('Threads that DuckDB may use for one query'),
  compaction: z
    .strictObject({
      atUtc: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is no time of day like 18:30')
        .default('18:30')
        .describe('When, every day, closed days (UTC) become Parquet files; UTC, 18:30 is 01:30 in Việt Nam. Also soon after a start'),
      maxFileRows: z
        .int()
        .min(1)
        .default(5_000_000)
        .describe('A day with more samples (or more than 4,000 for each MB of `memoryLimitMb`) becomes several files, by whole hours'),
      lateShare: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe('A file is written again when its late samples are this part of it; fewer wait in the database. 0: they never wait'),
      lateWaitHours: z.int().min(0).max(8760).default(72).describe('Late samples, however few, wait no longer than this'),
      minFreeMb: z
        .int()
        .min(0)
        .default(512)
        .describe('Room on the disk that is left free, MB: with less, closed days stay in the database until there is more'),
    })
    .prefault({})
    .describe('How closed days become files'),
  retention: z
    .strictObject({
      rawDays: days.optional().describe('Days for which every sample is kept; absent: for ever'),
      minuteDays: days.optional().describe('Days for which the 1 min roll-ups are kept; absent: for ever. The 1 h roll-ups stay for ever'),
    })
    .prefault({})
    .describe('What is deleted with time; nothing unless it is said here'),
});
export type DuckdbConfig = z.infer<typeof duckdbConfig>;

/** What a store needs to be opened; the rest is for its upkeep. */
export type DuckdbSettings = Omit<DuckdbConfig, 'compaction' | 'retention'> & {
  readonly compaction?: Partial<DuckdbConfig['compaction']>;
  readonly retention?: DuckdbConfig['retention'];
};
