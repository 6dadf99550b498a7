import { ConfigError } from '@nhip/core/process/errors';
import { z } from 'zod';
import type { Command } from '../arguments.ts';
import { operatorApi, operatorFlags } from './operator-api.ts';

const answer = z.looseObject({ code: z.string(), expiresAt: z.string() });

export const enrol: Command = {
  name: 'sector enrol',
  usage: 'TAXCODE',
  summary:
    'Lets an enterprise in: registers it and its plants at the running sector server, and prints a one-time code for its factory. For the operator.',
  flags: {
    ...operatorFlags,
    name: { summary: 'Name of the enterprise (default: its tax code)', value: 'NAME' },
    plant: { summary: 'ID or ID=NAME of a plant that will report; may be given several times', value: 'ID' },
    'valid-from': {
      summary: 'Reports issued before this moment are refused, e.g. 2026-01-01T00:00:00+07:00 (default: now)',
      value: 'TIME',
    },
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
    const ask = operatorApi(input);
    const base = `enterprises/${encodeURIComponent(taxCode)}`;
    const keyValidFrom = input.text('valid-from');
    await ask('PUT', base, { name: input.text('name') ?? taxCode, establishments });
    const made = answer.parse(await ask('POST', `${base}/enrolment-codes`, keyValidFrom === undefined ? {} : { keyValidFrom }));
    const text = `code     ${made.code}\nexpires  ${made.expiresAt}\n\nShown once, good for one key: give it to the enterprise.`;
    process.stdout.write(`${input.isSet('json') ? JSON.stringify({ enterpriseId: taxCode, ...made }) : text}\n`);
    return 0;
  },
};
