import { z } from 'zod';

export const ingestConfig = z.strictObject({
  commitIntervalMs: z.int().min(0).max(60_000).default(200).describe('How long samples are collected before they are written'),
  maxBatchSamples: z.int().min(1).max(5_000_000).default(200_000).describe('A batch of this size is written at once'),
  maxFutureMs: z.int().min(0).default(300_000).describe('Samples further in the future become dead letters'),
  maxAgeMs: z.int().min(1000).default(63_244_800_000).describe('Samples older than this at arrival become dead letters (default 2 years)'),
  maxSeriesPerEdge: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .describe('Series (device × metric) that one edge may have; values of further ones become dead letters'),
  deadLetterMaxBytes: z.int().min(1_048_576).default(268_435_456).describe('Dead letters kept; the oldest are given up beyond this'),
});
export type IngestConfig = z.infer<typeof ingestConfig>;
