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
  type: z.string().describe('about:blank, or urn:vn:sector:problem:<code> of the first finding'),
  title: z.string().describe('The kind of problem, in short'),
  status: z.number().int().describe('HTTP status'),
  detail: z.string().describe('What is wrong here and what to do about it'),
  errors: z.array(findingSchema).optional().describe('Findings of a report'),
  held: z
    .strictObject({ revision: z.number().int().describe('Its number'), digest: z.string().describe('Its digest') })
    .nullable()
    .optional()
    .describe('Of a conflict: the revision that the platform holds; null: none'),
});
export type ProblemDocument = z.infer<typeof problemDocument>;

export const problemType = 'application/problem+json';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Login needed',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict with what is held',
  413: 'Request too large',
  415: 'Unknown content type',
  422: 'Report refused',
  429: 'Too many requests',
  500: 'Server error',
  503: 'Not available now',
};

/** An answer that says what is wrong; thrown by handlers, written by the app. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.name = 'HttpProblem';
    this.status = status;
    this.headers = headers;
  }
}

export function titleOf(status: number): string {
  return titles[status] ?? titles[status < 500 ? 400 : 500] ?? '';
}

export function problemOf(status: number, detail: string): ProblemDocument {
  return { type: 'about:blank', title: titleOf(status), status, detail };
}

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
