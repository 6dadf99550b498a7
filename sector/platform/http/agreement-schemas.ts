import { z } from 'zod';
import { contractName, type Purpose } from '../../contract/report.ts';
import type { AgreementTerms } from '../store/agreements.ts';
import { moment } from './schemas.ts';

const purposes = [
  'sector_statistics',
  'capacity_monitoring',
  'energy_efficiency',
  'ghg_inventory',
  'benchmark_return',
  'research',
  'crisis_response',
] as const satisfies readonly Purpose[];

const products = [contractName, 'vn.sector.machine-status'] as const;

/** As the contract writes `agreementId` in a report. */
export const agreementId = z
  .string()
  .max(200)
  .regex(/^urn:[a-z0-9][a-z0-9-]{1,31}(:[A-Za-z0-9._-]{1,64}){1,6}$/, 'is no name like urn:agreement:2026-0012')
  .describe('As policy and reports name it');

/** The body that records an agreement. */
export const agreementBody = z.strictObject({
  products: z.array(z.enum(products)).min(1).max(products.length).describe('Contracts that may be sent under it'),
  purposes: z.array(z.enum(purposes)).min(1).max(purposes.length).describe('What the data may serve'),
  reference: z
    .string()
    .max(64)
    .regex(/^[0-9A-Za-zÀ-ỹĐđ./-]*$/u, 'has letters, digits, ".", "/" and "-"')
    .default('')
    .describe('Number of the signed document'),
  validFrom: moment.describe('First moment that it covers'),
  validTo: moment.optional().describe('First moment that it does not cover any more; absent: open end'),
});

/** Terms in one order and form, so that the same agreement again is the same. */
export function termsOf(id: string, body: z.infer<typeof agreementBody>): AgreementTerms {
  return {
    agreementId: id,
    products: products.filter((each) => body.products.includes(each)),
    purposes: purposes.filter((each) => body.purposes.includes(each)),
    reference: body.reference.normalize('NFC'),
    validFrom: new Date(body.validFrom),
    validTo: body.validTo === undefined ? null : new Date(body.validTo),
  };
}

export const agreementSchema = z.strictObject({
  agreementId: z.string().describe('Its name'),
  products: z.array(z.string()).describe('Contracts that may be sent under it'),
  purposes: z.array(z.string()).describe('What the data may serve'),
  reference: z.string().describe('Number of the signed document; empty: none'),
  validFrom: z.string().describe('First moment that it covers'),
  validTo: z.string().nullable().describe('First moment that it does not cover any more; null: open end'),
  recordedAt: z.string().describe('When the operator recorded it'),
  revokedAt: z.string().nullable().describe('From when reports under it are refused; null: not revoked'),
  revokedBy: z.string().nullable().describe('operator, or the client of the enterprise'),
});

export const agreementList = z.strictObject({ agreements: z.array(agreementSchema).describe('By name; the revoked ones too') });
