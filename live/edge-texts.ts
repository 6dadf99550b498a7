import {
  type EdgeCertificates,
  type EdgeConfiguration,
  edgeCertificatesMetric,
  edgeConfigurationMetric,
  maxEdgeTextBytes,
} from '@nhip/core/wire/edge-control';
import { z } from 'zod';

/** What an edge says of itself in long texts. The edge chooses what stands there: it is checked before anybody sees it. */

const approvalProblems = ['commandsEnabled', 'passwordShown'] as const;
const timeMs = z.number().describe('ms since 1970 UTC');
const thumbprint = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256 of the certificate');

export const edgeCertificates = z.object({
  takesDecisions: z.boolean().describe('The edge takes decisions from here: `remote.certificates` of its configuration'),
  approvalProblem: z
    .enum(approvalProblems)
    .nullable()
    .describe('Why it takes none to trust one: it may write values, or would show a password; null: it does'),
  certificates: z
    .array(
      z.object({
        thumbprint,
        subject: z.string().max(500).describe('Who it says it is'),
        uri: z.string().max(500).nullable().describe('Application URI in the certificate'),
        endpoint: z.string().max(500).nullable().describe('Where the edge last met it'),
        fromMs: timeMs.describe('Valid from'),
        toMs: timeMs.describe('Valid until'),
        state: z.enum(['waiting', 'trusted', 'rejected']).describe('`waiting`: nobody has decided yet, the edge does not connect'),
        sinceMs: timeMs.describe('Since when it is in this state'),
      }),
    )
    .max(100)
    .describe('Certificates of the servers that the edge met, those that wait first'),
  more: z.number().describe('How many there are beside them'),
  last: z
    .object({
      thumbprint,
      outcome: z.enum(['approved', 'rejected', 'refused']).describe('What became of it'),
      reason: z
        .enum(['takesNone', ...approvalProblems, 'failed'])
        .nullable()
        .describe('Why it was refused; `failed`: the log of the edge says more'),
      atMs: timeMs,
    })
    .nullable()
    .describe('The last decision that the edge got since it started'),
}) satisfies z.ZodType<EdgeCertificates>;

export const edgeConfiguration = z.object({
  source: z.enum(['file', 'pushed']).describe('`file`: the one on the gateway; `pushed`: its connections come from a pushed one'),
  sha256: z.string().max(64).describe('Of the text whose connections are in use'),
  version: z.number().describe('Of the newest pushed configuration that was accepted; 0: none'),
  last: z
    .object({
      version: z.number().nullable().describe('null when it could not be read'),
      outcome: z.enum(['applied', 'refused']).describe('What became of it'),
      reason: z.string().max(1000).nullable().describe('Why it was refused'),
      atMs: timeMs,
    })
    .nullable()
    .describe('The last one that the edge got since it started'),
}) satisfies z.ZodType<EdgeConfiguration>;

/** They are shown to who asks for them alone, so they may be longer than other texts. */
export function longestText(metric: string, otherwise: number): number {
  return metric === edgeCertificatesMetric || metric === edgeConfigurationMetric ? maxEdgeTextBytes : otherwise;
}

/** undefined for anything that is not what an edge of ours says. */
export function readEdgeText<Text>(schema: z.ZodType<Text>, value: unknown): Text | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return schema.safeParse(JSON.parse(value), { reportInput: false }).data;
  } catch {
    return undefined;
  }
}
