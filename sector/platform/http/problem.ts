import { problemMembers, titleOf } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { codeTitles, type Finding } from '../../contract/finding.ts';
import type { Held } from '../store/candidate.ts';

export const findingSchema = z.strictObject({
  code: z.string().describe('E101…E115: refused; W201…W205: accepted with a question; SCHEMA: does not fit the contract'),
  severity: z.enum(['error', 'warning']).describe('A warning does not refuse'),
  pointer: z.string().describe('JSON Pointer (RFC 6901) into the report; empty: the whole report'),
  message: z
    .strictObject({ vi: z.string().describe('Tiếng Việt'), en: z.string().describe('English') })
    .describe('For people, in both languages'),
});

export const problemDocument = z.strictObject({
  ...problemMembers,
  type: z.string().describe('about:blank, or urn:vn:sector:problem:<code> of the first finding'),
  errors: z.array(findingSchema).optional().describe('Findings of a report'),
  held: z
    .strictObject({ revision: z.number().int().describe('Its number'), digest: z.string().describe('Its digest') })
    .nullable()
    .optional()
    .describe('Of a conflict: the revision that the platform holds; null: none'),
});
export type ProblemDocument = z.infer<typeof problemDocument>;

export const problemType = 'application/problem+json';

/** The problem of a refused report: its findings, the first one as the kind. */
export function findingsProblem(status: number, findings: readonly Finding[], held?: Held | null): ProblemDocument {
  const [first] = findings;
  const errors = findings.map(({ code, severity, pointer, message }) => ({ code, severity, pointer, message: { ...message } }));
  return {
    type: first === undefined ? 'about:blank' : `urn:vn:sector:problem:${first.code}`,
    title: first === undefined ? titleOf(status) : codeTitles[first.code].en,
    status,
    detail: first === undefined ? '' : `${first.pointer === '' ? 'The report' : first.pointer}: ${first.message.en}`,
    errors,
    ...(held === undefined ? {} : { held }),
  };
}
