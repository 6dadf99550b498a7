import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, RetryableError, reasonOf } from '@nhip/core/process/errors';
import { z } from 'zod';
import { commonFlags, type Flag, type Input } from '../arguments.ts';
import { dataFolder } from '../folders.ts';

const defaultUrl = 'http://127.0.0.1:8090';
const timeoutMs = 30_000;

/** Flags of every command of a sector server's operator. */
export const operatorFlags = {
  data: commonFlags.data,
  url: { summary: `Sector server (default ${defaultUrl})`, value: 'URL', env: 'NHIP_SECTOR_URL' },
  json: { summary: 'Answer as one line of JSON' },
} as const satisfies Record<string, Flag>;

/** Asks the running sector server as its operator; resolves with the JSON of the answer, `{}` when it has none. */
export type AskOperator = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => Promise<unknown>;

/**
 * Reads the operator's token from the data folder. Throws ConfigError when it cannot be read; asking throws RetryableError when the server
 * is away or refuses.
 *
 * @param path below `/v1/operator/`
 */
export function operatorApi(input: Input): AskOperator {
  const token = operatorToken(join(dataFolder(input.text('data')).root, 'sector', 'operator-token'));
  const base = `${(input.text('url') ?? defaultUrl).replace(/\/+$/, '')}/v1/operator/`;
  return (method, path, body) => ask(base + path, method, token, body);
}

function operatorToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(file, [`cannot be read: ${reasonOf(error)}; nhip sector serve makes it on its first start`]);
  }
}

async function ask(url: string, method: string, token: string, body: object | undefined): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    throw new RetryableError('cli.serverUnreachable', `${new URL(url).origin} cannot be reached: is nhip sector serve running?`, {
      cause: error,
    });
  }
  const parsed: unknown = text === '' ? {} : JSON.parse(text);
  if (response.ok) return parsed;
  const detail = z.looseObject({ detail: z.string() }).safeParse(parsed);
  throw new RetryableError('cli.serverRefused', `The sector server refuses: ${detail.success ? detail.data.detail : response.status}`);
}
