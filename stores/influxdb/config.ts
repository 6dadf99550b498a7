import { z } from 'zod';

export const influxdbConfig = z.strictObject({
  type: z.literal('influxdb').describe('An InfluxDB server: 1.x, 2.x'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !url.includes('@'), 'no user or password here: use username and passwordFile, or tokenFile')
    .describe('Address of the server, e.g. http://127.0.0.1:8086'),
  database: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, _ and -, at most 64')
    .default('nhip')
    .describe('Database of its own (2.x: bucket); made when it is missing and the login may'),
  retentionDays: z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Samples older than this are deleted by the server; counts when the database is made, for ever when absent'),
  username: z.string().min(1).optional().describe('User of 1.x; absent: no login'),
  passwordFile: z.string().min(1).optional().describe('File with the password of `username`'),
  organisation: z.string().min(1).optional().describe('Organisation of 2.x'),
  tokenFile: z.string().min(1).optional().describe('File with the API token of 2.x'),
  caFile: z.string().min(1).optional().describe('PEM file with the certificate authority of an https address; default those of the system'),
  maxInFlight: z.int().min(1).max(16).default(4).describe('Write requests at the same time'),
  requestTimeoutMs: z.int().min(500).max(300_000).default(10_000).describe('A write that is not answered in this time is sent again'),
});
export type InfluxdbConfig = z.infer<typeof influxdbConfig>;
