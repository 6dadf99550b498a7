import { createWriteStream } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { ConfigError, RetryableError } from '@nhip/core/process/errors';
import { z } from 'zod';
import type { Flag, Input } from './arguments.ts';
import { readLocalAccess } from './local-access.ts';
import { openDownload } from './open-download.ts';

/** Flags of commands that ask a running server. */
export const serverFlags = {
  url: {
    summary: 'Server to ask, e.g. http://10.0.0.5:8080 (default: the one that runs on the data folder)',
    value: 'URL',
    env: 'NHIP_URL',
  },
  user: {
    summary: 'With --url: user whose password is in NHIP_PASSWORD (default admin); or put an API token into NHIP_TOKEN',
    value: 'NAME',
  },
} as const satisfies Record<string, Flag>;

/** A running server as the commands see it. */
export interface ServerClient {
  readonly url: string;
  /** The answer, checked by the schema. Throws RetryableError: `cli.serverUnreachable`, `cli.serverRefused` or `cli.serverDiffers`. */
  get<Answer>(path: string, schema: z.ZodType<Answer>): Promise<Answer>;
  post<Answer>(path: string, body: unknown, schema: z.ZodType<Answer>): Promise<Answer>;
  /** Writes the answer into the new file (mode 0600); resolves with its bytes. Throws the same errors; a part of the file may be there then. */
  download(path: string, file: string): Promise<number>;
}

const timeoutMs = 30_000;
/** A download may have to be made first. */
const downloadTimeoutMs = 3_600_000;

/**
 * The server of --url with the credentials of the environment, or the one that runs on the data folder. undefined when neither is
 * known. Throws ConfigError when --url is no address.
 */
export function findServer(
  input: Pick<Input, 'text'>,
  serverDir: string,
  env: Readonly<Record<string, string | undefined>>,
): ServerClient | undefined {
  const url = input.text('url');
  if (url === undefined) {
    const access = readLocalAccess(serverDir);
    return access === undefined ? undefined : createClient(access.url, `Bearer ${access.token}`);
  }
  if (!/^https?:\/\/[^/]/.test(url)) throw new ConfigError('--url', [`"${url}" is not http://HOST:PORT or https://HOST`]);
  return createClient(url.replace(/\/+$/, ''), authorization(input.text('user') ?? 'admin', env));
}

function authorization(user: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env.NHIP_TOKEN) return `Bearer ${env.NHIP_TOKEN}`;
  return env.NHIP_PASSWORD ? `Basic ${Buffer.from(`${user}:${env.NHIP_PASSWORD}`).toString('base64')}` : undefined;
}

const problem = z.looseObject({ detail: z.string() });

function createClient(url: string, credentials: string | undefined): ServerClient {
  const headers = { ...(credentials === undefined ? {} : { authorization: credentials }), 'content-type': 'application/json' };
  const unreachable = (error: unknown) =>
    new RetryableError('cli.serverUnreachable', `The server at ${url} does not answer (${causeOf(error)})`, { cause: error });

  function refused(status: number, body: string): RetryableError {
    const detail = problem.safeParse(parse(body)).data?.detail ?? '';
    const hint = status === 401 && credentials === undefined ? ' Set NHIP_TOKEN, or NHIP_PASSWORD with --user.' : '';
    return new RetryableError('cli.serverRefused', `The server at ${url} answered ${status}: ${detail}${hint}`);
  }

  async function ask<Answer>(path: string, init: RequestInit, schema: z.ZodType<Answer>): Promise<Answer> {
    let response: Response;
    let body: string;
    try {
      response = await fetch(`${url}${path}`, { ...init, headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
      body = await response.text();
    } catch (error) {
      throw unreachable(error);
    }
    if (!response.ok) throw refused(response.status, body);
    const checked = schema.safeParse(parse(body));
    if (!checked.success) {
      throw new RetryableError('cli.serverDiffers', `${url}${path} answers in another form: use the nhip of the server's version`);
    }
    return checked.data;
  }
  return {
    url,
    get: (path, schema) => ask(path, { method: 'GET' }, schema),
    post: (path, body, schema) => ask(path, { method: 'POST', body: JSON.stringify(body) }, schema),
    async download(path, file) {
      const response = await openDownload(`${url}${path}`, headers, downloadTimeoutMs).catch((error: unknown) => {
        throw unreachable(error);
      });
      if (response.statusCode !== 200) throw refused(response.statusCode ?? 0, await textOf(response));
      const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
      try {
        await pipeline(response, target);
      } catch (error) {
        // It may still be about to open its file, which the caller removes now.
        if (!target.closed) await new Promise<void>((resolve) => target.once('close', () => resolve()));
        throw new RetryableError('cli.serverUnreachable', `The download from ${url} broke off (${causeOf(error)})`, { cause: error });
      }
      return target.bytesWritten;
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch hides why it failed: ECONNREFUSED is in the cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
