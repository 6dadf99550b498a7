import { z } from 'zod';

/** Error answers of our servers: documents of RFC 9457. */

/** Members that every problem has; a server may add its own. */
export const problemMembers = {
  type: z.string().describe('about:blank: the status says the kind'),
  title: z.string().describe('The kind of problem, in short'),
  status: z.number().int().describe('HTTP status'),
  detail: z.string().describe('What is wrong here and what to do about it'),
};

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Login needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not available in this format',
  408: 'Request took too long',
  409: 'Not possible as things stand',
  413: 'Request too large',
  415: 'Unknown content type',
  421: 'Unknown host name',
  422: 'Content refused',
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

/** What a status means, in short. */
export function titleOf(status: number): string {
  return titles[status] ?? titles[status < 500 ? 400 : 500] ?? '';
}

/** The document of a problem whose kind the status says. */
export function problemOf(status: number, detail: string) {
  return { type: 'about:blank', title: titleOf(status), status, detail };
}
