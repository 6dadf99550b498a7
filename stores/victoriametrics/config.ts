import { z } from 'zod';

export const victoriametricsConfig = z.strictObject({
  type: z
    .literal('victoriametrics')
    .describe('A VictoriaMetrics server (single node) beside the first store; numbers only, written and never asked'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !url.includes('@'), 'no user or password here: use username and passwordFile')
    .describe('Address of the server, e.g. http://127.0.0.1:8428; it must run with -dedup.minScrapeInterval=1ms'),
  username: z.string().min(1).optional().describe('User (-httpAuth.username); absent: no login'),
  passwordFile: z.string().min(1).optional().describe('File with the password of `username`'),
  caFile: z.string().min(1).optional().describe('PEM file with the certificate authority of an https address; default those of the system'),
  maxInFlight: z.int().min(1).max(16).default(2).describe('Write requests at the same time'),
  requestTimeoutMs: z.int().min(500).max(300_000).default(10_000).describe('A write that is not answered in this time is sent again'),
});
export type VictoriametricsConfig = z.infer<typeof victoriametricsConfig>;
