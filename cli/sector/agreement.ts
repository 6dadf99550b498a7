import { ConfigError } from '@nhip/core/process/errors';
import { z } from 'zod';
import type { Command, Input } from '../arguments.ts';
import { operatorApi, operatorFlags } from './operator-api.ts';

const usualProduct = 'vn.sector.production-report';

const agreement = z.looseObject({
  agreementId: z.string(),
  products: z.array(z.string()),
  purposes: z.array(z.string()),
  reference: z.string(),
  validFrom: z.string(),
  validTo: z.string().nullable(),
  revokedAt: z.string().nullable(),
  revokedBy: z.string().nullable(),
});
type Agreement = z.infer<typeof agreement>;
const agreements = z.looseObject({ agreements: z.array(agreement) });

export const agreementCommand: Command = {
  name: 'sector agreement',
  usage: 'add TAXCODE ID | list TAXCODE | revoke TAXCODE ID',
  summary:
    'Agreements about sharing at the running sector server: a report that names one is refused unless it covers the report. For the operator. ID: as the policy of the factory names it, urn:agreement:2026-0012.',
  flags: {
    ...operatorFlags,
    purpose: { summary: 'add: what the data may serve, e.g. sector_statistics; may be given several times', value: 'PURPOSE' },
    product: { summary: `add: a contract that may be sent; may be given several times (default ${usualProduct})`, value: 'CONTRACT' },
    from: { summary: 'add: first moment that it covers, e.g. 2026-01-01T00:00:00+07:00', value: 'TIME' },
    to: { summary: 'add: first moment that it does not cover any more (default: open end)', value: 'TIME' },
    reference: { summary: 'add: number of the signed document, e.g. 12/2026/HD-CSDL', value: 'NUMBER' },
  },
  async run(input) {
    const [action, taxCode = '', id = '', ...more] = input.positionals;
    const line = `nhip sector agreement ${action ?? ''}`.trim();
    if (more.length > 0 || taxCode === '') throw new ConfigError(line, ['say one tax code; nhip sector agreement --help']);
    if (action !== 'list' && id === '') throw new ConfigError(line, ['say the agreement: its id, as the policy names it']);
    const ofEnterprise = `enterprises/${encodeURIComponent(taxCode)}/agreements`;
    const one = `${ofEnterprise}/${encodeURIComponent(id)}`;
    switch (action) {
      case 'add': {
        const terms = termsOf(input, line);
        say(input, agreement.parse(await operatorApi(input)('PUT', one, terms)));
        return 0;
      }
      case 'revoke':
        say(input, agreement.parse(await operatorApi(input)('POST', `${one}/revocation`)));
        return 0;
      case 'list': {
        const found = agreements.parse(await operatorApi(input)('GET', ofEnterprise)).agreements;
        const text = found.map(described).join('\n') || 'No agreements yet: nhip sector agreement add';
        process.stdout.write(`${input.isSet('json') ? JSON.stringify(found) : text}\n`);
        return 0;
      }
      default:
        throw new ConfigError('nhip sector agreement', ['say add, list or revoke; nhip sector agreement --help']);
    }
  },
};

function termsOf(input: Input, line: string): object {
  const purposes = input.all('purpose');
  const products = input.all('product');
  const [validFrom, validTo, reference] = [input.text('from'), input.text('to'), input.text('reference')];
  if (purposes.length === 0) throw new ConfigError(line, ['--purpose is missing: what may the data serve?']);
  if (validFrom === undefined) throw new ConfigError(line, ['--from is missing: from when on is it valid?']);
  return {
    purposes,
    products: products.length === 0 ? [usualProduct] : products,
    validFrom,
    ...(validTo === undefined ? {} : { validTo }),
    ...(reference === undefined ? {} : { reference }),
  };
}

function say(input: Input, found: Agreement): void {
  process.stdout.write(`${input.isSet('json') ? JSON.stringify(found) : described(found)}\n`);
}

function described({ agreementId, products, purposes, reference, validFrom, validTo, revokedAt, revokedBy }: Agreement): string {
  const end = revokedAt === null ? '' : `  revoked ${revokedAt} by ${revokedBy}`;
  const dates = `${validFrom} – ${validTo ?? 'open end'}`;
  return [agreementId, reference, dates, products.join(','), purposes.join(',')].filter((text) => text !== '').join('  ') + end;
}
