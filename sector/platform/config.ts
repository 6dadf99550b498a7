import { z } from 'zod';

const embedded = z.strictObject({
  type: z.literal('embedded').describe('PostgreSQL inside this process (PGlite), in the folder `database` of the data folder'),
});

const postgres = z.strictObject({
  type: z.literal('postgres').describe('A PostgreSQL server from version 15 on'),
  urlFile: z.string().min(1).optional().describe('File with the URL postgres://user:password@host/database, for secrets that are mounted'),
  url: z.string().min(1).optional().describe('The URL itself'),
  maxConnections: z.number().int().min(2).max(100).default(10).describe('Connections at most'),
});

/** Configuration of the sector server. */
export const platformConfig = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  port: z.number().int().min(0).max(65_535).default(8090).describe('Port; 0: any free one'),
  tls: z
    .strictObject({
      certFile: z.string().min(1).describe('PEM file with the certificate chain of this server'),
      keyFile: z.string().min(1).describe('PEM file with its private key, readable by its owner only'),
      clientCaFile: z.string().min(1).optional().describe('PEM file with the authority of client certificates; absent: none are asked for'),
      clientCertificate: z
        .enum(['required', 'optional'])
        .default('required')
        .describe(
          'With clientCaFile. required: every client must show a certificate that is known as its own; optional: only those that have one',
        ),
    })
    .optional()
    .describe('TLS; without it the server listens on this computer only'),
  behindProxy: z
    .boolean()
    .default(false)
    .describe('A proxy before this server ends TLS: lets it listen beyond this computer without tls. Client certificates need tls here'),
  platformId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .default('sector')
    .describe('Name of this platform; the kid of its key begins with it'),
  database: z.discriminatedUnion('type', [embedded, postgres]).default({ type: 'embedded' }).describe('Where reports are kept'),
  limits: z
    .strictObject({
      reportBytes: z.number().int().min(1000).max(1_000_000).default(65_536).describe('Of one report'),
      bodyBytes: z.number().int().min(65_536).max(100_000_000).default(8_388_608).describe('Of one request; a batch has up to 500 reports'),
      waitingReports: z
        .number()
        .int()
        .min(500)
        .max(100_000)
        .default(5000)
        .describe('Received and not yet on disk; more are refused for now'),
      refusedReports: z.number().int().min(1).max(10_000).default(200).describe('Refused reports kept for each enterprise'),
    })
    .prefault({})
    .describe('Bounds'),
  machineStatus: z
    .strictObject({
      keepDays: z.number().int().min(1).max(400).default(31).describe('States older than this are refused, and deleted when they are here'),
      maxPerDay: z
        .number()
        .int()
        .min(1)
        .max(10_000_000)
        .default(200_000)
        .describe('States of one enterprise in a day; more are refused until the next'),
    })
    .prefault({})
    .describe('States of single machines, which factories send only with consent'),
  groupCommit: z
    .strictObject({
      lingerMs: z.number().int().min(0).max(1000).default(3).describe('How long a report waits for others to share its commit'),
      maxReports: z.number().int().min(1).max(5000).default(500).describe('Reports in one commit'),
    })
    .prefault({})
    .describe('Reports that arrive together are stored together: one fsync for all'),
});
export type PlatformConfig = z.infer<typeof platformConfig>;
