import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const title = z.string().min(1).max(100);
const file = z.string().min(1).max(400);

const recipient = z
  .strictObject({
    title: z
      .strictObject({ vi: title.describe('Vietnamese'), en: title.describe('English') })
      .optional()
      .describe('What people call it on the page of what leaves; its id when absent'),
    periods: z
      .array(z.enum(['PT1H', 'P1D', 'P1W', 'P1M']))
      .min(1)
      .default(['P1D'])
      .describe('Reports that are made for it; those shorter than the policy allows are left out'),
    approval: z
      .enum(['each', 'standing'])
      .default('each')
      .describe(
        'each: the approvers of the policy agree to every report; standing: their approval of the policy is enough, a report leaves by itself after the preview unless somebody holds it',
      ),
    clientId: z.string().max(200).default('').describe('OAuth2 client id that the platform gave; for adapter https'),
    secretFile: file.optional().describe('File with the client secret, readable by its owner only; for adapter https'),
    certFile: file.optional().describe('Client certificate (PEM) where the platform asks for one; together with keyFile'),
    keyFile: file.optional().describe('Private key of certFile (PEM), readable by its owner only'),
    caFile: file.optional().describe('Certificate authority of the platform (PEM), where it is not a public one'),
    allowPlainHttp: z.boolean().default(false).describe('Allows http:// to other computers than this one: for tests inside one network'),
    folder: file.optional().describe('Folder of the bundle: outbox/ is written, inbox/ is read; for adapter file-bundle'),
    platformKeyFile: file.describe('Public keys that sign receipts (PEM, JWK or JWK set), got from the platform by a way you trust'),
  })
  .describe('Connection to a recipient that the sharing policy names; where to send to stands in the policy, which two people approve');

const products = z
  .record(
    z.string().min(1).max(200),
    z.strictObject({
      scheme: z.enum(['VCPA2018', 'HS2022', 'GTIN', 'LOCAL']).describe('Classification'),
      code: z
        .string()
        .regex(/^[0-9A-Za-z.-]{2,20}$/)
        .describe('Code in it'),
      unit: z
        .string()
        .regex(/^[A-Z0-9]{2,3}$/)
        .default('H87')
        .describe('UN/ECE Recommendation 20: H87 piece, PR pair, KGM kilogram …'),
    }),
  )
  .default({})
  .describe('Product of the plant → official code. Products that are not here leave as one sum with the code LOCAL/UNMAPPED');

/** Configuration of the factory side of sharing. Without a sharing policy nothing leaves whatever stands here. */
export const gatewayConfig = z.strictObject({
  enterpriseId: z
    .string()
    .regex(/^[0-9]{10}(-[0-9]{3})?$/)
    .describe('Tax code'),
  establishmentId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .describe('Name of the plant at the platform'),
  provinceCode: z
    .string()
    .regex(/^[0-9]{2}$/)
    .describe('Province'),
  provinceScheme: z.enum(['VN-ADM-2025', 'VN-ADM-2004']).default('VN-ADM-2025').describe('Code list of the province'),
  communeCode: z
    .string()
    .regex(/^[0-9]{5}$/)
    .optional()
    .describe('Commune; leaves only when the policy includes /reporter/communeCode'),
  activityScheme: z.enum(['VSIC2025', 'VSIC2018']).default('VSIC2025').describe('Code list of the activity'),
  activityCode: z
    .string()
    .regex(/^(1[0-9]|2[0-9]|3[0-3])[0-9]{2,3}$/)
    .describe('Principal activity of the plant, level 4 or 5 of section C'),
  dayStart: z
    .string()
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/)
    .default('00:00')
    .describe('When a day of the books begins; as in the calendar of the plant'),
  products,
  policyFile: file.default('sharing-policy.yaml').describe('Sharing policy; a changed file is a proposal that needs its approvals'),
  keyName: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .default('k1')
    .describe('Name of the signing key: the key id is <enterpriseId>#<name>'),
  keyFile: file.default('signing-key.pem').describe('Ed25519 private key (PKCS #8 PEM, mode 0600); made at the first start'),
  recipients: z.record(name, recipient).default({}).describe('Connections by the id of the recipient in the policy'),
  settleMinutes: z.number().int().min(0).max(1440).default(10).describe('Wait after the end of a period for data that are on their way'),
  backfillDays: z.number().int().min(0).max(400).default(7).describe('Periods before the first start that are reported as well'),
  revisableDays: z.number().int().min(1).max(400).default(62).describe('How long late data lead to a new revision'),
  finalAfterDays: z.number().int().min(0).max(400).default(7).describe('Reports issued later than this after their period are final'),
  expireDays: z.number().int().min(1).max(400).default(30).describe('A report that nobody approved for so long expires'),
  keepDays: z.number().int().min(62).max(4000).default(1100).describe('How long sent reports and receipts are kept here'),
  maxQueueBytes: z
    .number()
    .int()
    .min(20_000)
    .max(1_000_000_000)
    .default(50_000_000)
    .describe('Reports that wait; above it the oldest hours are merged into days, and no new reports are made'),
  statusStream: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Machine states as they change; only with a policy that shares vn.sector.machine-status'),
      maxEvents: z.number().int().min(1).max(100_000).default(10_000).describe('Events that wait; more are dropped and counted'),
      machineClasses: z
        .record(z.string().min(1).max(200), z.string().regex(/^[a-z_]{1,40}$/))
        .default({})
        .describe('Machine of the plant → class of machine; others are "other"'),
    })
    .prefault({})
    .describe('Machine-status stream'),
});

export type GatewayConfig = z.infer<typeof gatewayConfig>;
export type RecipientConfig = GatewayConfig['recipients'][string];
