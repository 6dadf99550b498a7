import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, RetryableError, reasonOf } from '@nhip/core/process/errors';
import { z } from 'zod';
import { type Command, commonFlags } from '../arguments.ts';
import { dataFolder } from '../folders.ts';

const defaultUrl = 'http://127.0.0.1:8090';
const timeoutMs = 30_000;
const answer = z.looseObject({ code: z.string(), expiresAt: z.string() });

export const enrol: Command = {
  name: 'sector enrol',
  usage: 'TAXCODE',
  summary:
    'Lets an enterprise in: registers it and its plants at the running sector server, and prints a one-time code for its factory. For the operator.',
  flags: {
    data: commonFlags.data,
    name: { summary: 'Name of the enterprise (default: its tax code)', value: 'NAME' },
    plant: { summary: 'ID or ID=NAME of a plant that will report; may be given several times', value: 'ID' },
    'valid-from': {
      summary: 'Reports issued before this moment are refused, e.g. 2026-01-01T00:00:00+07:00 (default: now)',
      value: 'TIME',
    },
    url: { summary: `Sector server (default ${defaultUrl})`, value: 'URL', env: 'NHIP_SECTOR_URL' },
    json: { summary: 'Answer as one line of JSON' },
  },
  async run(input) {
    const [taxCode, ...more] = input.positionals;
    if (taxCode === undefined || more.length > 0) throw new ConfigError('nhip sector enrol', ['say one tax code']);
    const plants = input.all('plant');
    if (plants.length === 0) throw new ConfigError('nhip sector enrol', ['--plant is missing: which plant will report?']);
    const establishments = plants.map((text) => {
      const [id = '', ...name] = text.split('=');
      return { establishmentId: id, name: name.join('=') || id };
    });
    const token = operatorToken(join(dataFolder(input.text('data')).root, 'sector', 'operator-token'));
    const base = `${(input.text('url') ?? defaultUrl).replace(/\/+$/, '')}/v1/operator/enterprises/${encodeURIComponent(taxCode)}`;
    const keyValidFrom = input.text('valid-from');
    await ask(base, 'PUT', token, { name: input.text('name') ?? taxCode, establishments });
    const made = answer.parse(await ask(`${base}/enrolment-codes`, 'POST', token, keyValidFrom === undefined ? {} : { keyValidFrom }));
    const text = `code     ${made.code}\nexpires  ${made.expiresAt}\n\nShown once, good for one key: give it to the enterprise.`;
    process.stdout.write(`${input.isSet('json') ? JSON.stringify({ enterpriseId: taxCode, ...made }) : text}\n`);
    return 0;
  },
};

function operatorToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(file, [`cannot be read: ${reasonOf(error)}; nhip sector serve makes it on its first start`]);
  }
}

async function ask(url: string, method: string, token: string, body: object): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
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
