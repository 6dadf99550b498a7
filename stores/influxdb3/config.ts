import { z } from 'zod';

export const influxdb3Config = z.strictObject({
  type: z.literal('influxdb3').describe('An InfluxDB 3 Core (or Enterprise) server beside the first store; written and never asked'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !url.includes('@'), 'no user or password here: use tokenFile')
    .describe('Address of the server, e.g. http://127.0.0.1:8181'),
  database: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'letters, digits, _ and -, a letter or digit first, at most 64')
    .default('nhip')
    .describe('Database of its own; made when it is missing'),
  retentionDays: z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Samples older than this are deleted by the server; counts when the database is made, for ever when absent'),
  tokenFile: z.string().min(1).optional().describe('File with the token (`apiv3_…`); absent: the server runs with --without-auth'),
  caFile: z.string().min(1).optional().describe('PEM file with the certificate authority of an https address; default those of the system'),
  maxInFlight: z
    .int()
    .min(1)
    .max(16)
    .default(8)
    .describe('Write requests at the same time; the server answers each when it writes its log, once a second'),
  requestTimeoutMs: z.int().min(500).max(300_000).default(10_000).describe('A write that is not answered in this time is sent again'),
});
export type Influxdb3Config = z.infer<typeof influxdb3Config>;
