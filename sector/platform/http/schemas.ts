import { z } from 'zod';
import { scopes } from '../auth/scope.ts';
import { findingSchema } from './problem.ts';

/** Texts that go into the database: bounded, and without the one character that PostgreSQL text cannot hold. */
export const safeText = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\0]*$/, 'must not have a NUL character');

export const enterpriseId = z
  .string()
  .regex(/^[0-9]{10}(-[0-9]{3})?$/, 'is no tax code: 10 digits, of a branch with -001')
  .describe('Tax code');
export const establishmentId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'has letters, digits, ".", "_" and "-", at most 64')
  .describe('Establishment within the enterprise');
export const reportId = z.uuid('is no UUID').describe('reportId of the report');
export const seriesKey = safeText(200).describe('enterprise/establishment/from/duration/major version, percent-encoded');
export const shortName = safeText(200).min(1);
export const moment = z.iso.datetime({ offset: true, error: 'is no moment like 2026-03-01T00:00:00Z' });
export const count = (most: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, 'is no whole number')
    .refine((text) => Number(text) <= most, `is at most ${most}`)
    .meta({ type: 'integer', minimum: 0, maximum: most });

export const signatureBlock = z
  .object({
    kid: z.string().max(200).describe('Key that signed'),
    alg: z.string().max(20).describe('Ed25519'),
    protected: z.string().max(1000).describe('Protected header, base64url'),
    signature: z.string().max(200).describe('base64url'),
  })
  .describe('Detached JWS over the canonical JSON of the rest');

export const receiptSchema = z.looseObject({
  receiptId: z.string().describe('Of this receipt'),
  digest: z.string().describe('Of the bytes received'),
  seriesKey: z.string().describe('Series of the report'),
  revision: z.number().int().describe('Of the report'),
  acceptedAt: z.string().describe('When it was on disk, ISO 8601'),
  signature: signatureBlock,
});

export const reportSchema = z.looseObject({}).describe('vn.sector.production-report 1.x in canonical JSON');

export const storedReport = z.strictObject({
  reportId: z.string().describe('Of the report'),
  establishmentId: z.string().describe('Establishment'),
  seriesKey: z.string().describe('Series that revisions belong to'),
  revision: z.number().int().describe('1, 2, …'),
  digest: z.string().describe('sha-256:… of the bytes'),
  status: z.string().describe('provisional, final or withdrawn'),
  duration: z.string().describe('PT1H, P1D, P1W or P1M'),
  validFrom: z.string().describe('Begin of the period'),
  validTo: z.string().describe('End of the period'),
  recordedAt: z.string().describe('From when the platform knew it'),
  supersededAt: z.string().nullable().describe('Until when it was the newest; null: it is'),
  warnings: z.number().int().describe('How many W findings it was accepted with'),
  leafIndex: z.number().int().describe('Its place in the log'),
});

export const refusedReport = z.strictObject({
  digest: z.string().describe('sha-256:… of the bytes'),
  receivedAt: z.string().describe('First time'),
  lastAt: z.string().describe('Last time'),
  times: z.number().int().describe('How often these bytes came'),
  findings: z.array(findingSchema).describe('Why it was refused'),
});

export const accessEntry = z.strictObject({
  entryId: z.number().int().describe('Of this entry; send it as `before` for older ones'),
  at: z.string().describe('When'),
  reader: z.string().describe('Who: client or person'),
  role: z.string().describe('In which role'),
  purpose: z.string().describe('Why'),
  action: z.string().describe('What was done'),
  object: z.string().describe('With what'),
  rowCount: z.number().int().describe('How many rows were read'),
});

export const scopeList = z.array(z.enum(scopes)).min(1).max(scopes.length).describe('What the client may do');
export const digestText = z.string().describe('sha-256:…');
