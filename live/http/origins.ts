import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Which host names and origins a request may name. Each check returns a sentence when the request must be refused. */
export interface Origins {
  /**
   * Against DNS rebinding: a foreign name that was pointed at this computer is refused. IP addresses are fine, they cannot be
   * pointed elsewhere.
   */
  hostProblem(headers: IncomingHttpHeaders): string | undefined;
  /** Against requests that a foreign page makes in the name of its visitor. Programs send no Origin and are let through. */
  originProblem(headers: IncomingHttpHeaders): string | undefined;
}

export interface OriginOptions {
  readonly allowedHosts: readonly string[];
  readonly publicUrl?: string | undefined;
}

export function createOrigins({ allowedHosts, publicUrl }: OriginOptions): Origins {
  const own = publicUrl === undefined ? undefined : new URL(publicUrl);
  const names = new Set(['localhost', ...allowedHosts, ...(own === undefined ? [] : [own.hostname])].map((name) => name.toLowerCase()));
  return {
    hostProblem({ host }) {
      const name = hostName(host ?? '');
      if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || names.has(name)) return undefined;
      return `"${(host ?? '').slice(0, 100)}" is not a name of this server: add it to allowedHosts of the live configuration, or use the IP address.`;
    },
    originProblem(headers) {
      const { origin, host } = headers;
      if (origin === undefined) {
        const site = headers['sec-fetch-site'];
        return site === undefined || site === 'same-origin' || site === 'none' ? undefined : refusal(String(site));
      }
      if (origin === own?.origin || origin === `http://${host}` || origin === `https://${host}`) return undefined;
      return refusal(origin);
    },
  };
}

function refusal(origin: string): string {
  return `Requests from ${origin.slice(0, 100)} are not accepted: open the board under its own address.`;
}

function hostName(host: string): string {
  try {
    return new URL(`http://${host}`).hostname.toLowerCase();
  } catch {
    return '';
  }
}

/** Sent with every answer. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
