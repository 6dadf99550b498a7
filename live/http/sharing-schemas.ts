import { reportStates } from '@nhip/core/wire/sharing';
import { z } from 'zod';

/** The shapes of core/wire/sharing for the API's description and its checks. Times are ISO 8601. */

const at = (words: string) => z.string().describe(`${words}, ISO 8601`);
export const bilingual = z.strictObject({ vi: z.string().describe('Vietnamese'), en: z.string().describe('English') });

export const sharingState = z.enum(reportStates);
export const sharedProduct = z.enum(['vn.sector.production-report', 'vn.sector.machine-status']);

const approval = z.strictObject({ by: z.string().describe('Account'), at: at('When') });
const approvals = z.array(approval).describe('Who agreed so far');
const approvalsNeeded = z.number().describe('How many different people must agree');
const approvers = z.array(z.string()).describe('Accounts that may agree, as the policy names them');

const finding = {
  code: z.string().describe('Stable code'),
  pointer: z.string().describe('JSON Pointer into the report; empty: the whole'),
  message: bilingual.describe('In words'),
};

const itemFields = {
  id: z.string().describe('Report id'),
  recipient: z.string().describe('Recipient, as the policy names it'),
  period: z
    .strictObject({ from: at('Start'), to: at('End, not included'), duration: z.string().describe('PT1H, P1D, P1W or P1M') })
    .describe('What it is about'),
  revision: z.number().describe('1, and one more for each report that corrects it'),
  status: z.string().describe('provisional, final or withdrawn'),
  state: sharingState.describe('How far it is on its way; only `sealed` and later leaves'),
  madeAt: at('When it was made'),
  dueAt: at('It does not leave before'),
  digest: z.string().optional().describe('sha-256 of the exact bytes; absent: nothing was made to leave'),
  bytes: z.number().optional().describe('Their size'),
  policy: z
    .strictObject({ digest: z.string().describe('Of the policy'), version: z.number().describe('Its version') })
    .describe('Under which policy'),
  approvals,
  approvalsNeeded,
  approvers,
  stoppedBy: z.string().optional().describe('Who keeps it from leaving'),
  warnings: z.array(z.strictObject(finding)).describe('What the recipient will ask about'),
  problem: z
    .strictObject({ by: z.string().describe('Who refused: policy, check or platform'), ...finding })
    .optional()
    .describe('Why it did not leave'),
  receipt: z
    .strictObject({ receiptId: z.string().describe('Its id'), acceptedAt: at('When'), leafIndex: z.number().describe('Place in the log') })
    .optional()
    .describe('Verified receipt of the platform'),
  mergedInto: z.string().optional().describe('The report that says it instead'),
};
export const sharingReport = z.strictObject(itemFields).meta({ id: 'SharingReport' });

const plainLine = z.strictObject({
  pointer: z.string().describe('JSON Pointer into the report'),
  label: bilingual.describe('What it is'),
  value: bilingual.describe('How much, with its unit'),
});

export const sharingReportDetail = z
  .strictObject({
    ...itemFields,
    text: z.string().optional().describe('The exact bytes that leave, as text: their SHA-256 is `digest`'),
    leaves: z.array(plainLine).describe('What leaves, in words'),
    stays: z.array(plainLine).describe('What stays at the factory, in words'),
    changed: z.array(z.string()).describe('Pointers of values that leave in another form: rounded, cut, put into a bucket'),
    history: z
      .array(
        z.strictObject({
          at: at('When'),
          by: z.string().describe('Account, or `gateway`'),
          from: z.string().describe('State before'),
          to: z.string().describe('State after'),
          reason: bilingual.optional().describe('Why'),
        }),
      )
      .describe('Oldest first'),
  })
  .meta({ id: 'SharingReportDetail' });

export const sharingOverview = z
  .strictObject({
    enterpriseId: z.string().describe('Tax code'),
    establishmentId: z.string().describe('Establishment'),
    kid: z.string().describe('Id of the signing key'),
    publicKey: z.record(z.string(), z.unknown()).describe('Its public half (JWK), which a platform enrols'),
    policy: z
      .strictObject({ digest: z.string().describe('Its digest'), version: z.number().describe('Its version') })
      .optional()
      .describe('The version that holds; absent: nothing leaves'),
    policiesWaiting: z.number().describe('Versions that wait for approvals'),
    recipients: z
      .array(
        z.strictObject({
          id: z.string().describe('As the policy names it'),
          title: bilingual.optional().describe('What people call it'),
          adapter: z.string().describe('Way it is sent'),
          url: z.string().optional().describe('Where to'),
          legalBasis: z.string().describe('On which ground'),
          sharing: z
            .enum(['on', 'off', 'revoked', 'unconnected'])
            .describe('Whether reports may leave to it; `unconnected`: the configuration has no connection'),
          statusStream: z.enum(['on', 'off', 'revoked']).describe('Whether states of single machines leave'),
          canRevoke: z.boolean().describe('false: a law asks for the reports'),
          counts: z.record(sharingState, z.number()).describe('Reports by state'),
          downSince: at('Since when it cannot be reached').optional(),
          nextAttempt: at('Next attempt').optional(),
          downReason: z.string().optional().describe('Why it cannot be reached'),
        }),
      )
      .describe('Recipients of the policy that holds'),
    alarms: z
      .array(
        z.strictObject({
          code: z.string().describe('Stable code'),
          since: at('Since when'),
          recipient: z.string().optional().describe('Whose'),
          text: bilingual.describe('In words'),
        }),
      )
      .describe('What needs a person'),
    queueBytes: z.number().describe('Reports that wait'),
    maxQueueBytes: z.number().describe('How many may wait'),
  })
  .meta({ id: 'SharingOverview' });

export const sharingPolicy = z
  .strictObject({
    digest: z.string().describe('sha-256 of its canonical form; stands in every report made under it'),
    version: z.number().describe('Higher replaces lower'),
    policyId: z.string().describe('Its id'),
    state: z.enum(['in-force', 'approved', 'waiting', 'old']).describe('`waiting`: for approvals; `approved`: for its `validFrom`'),
    validFrom: at('Start'),
    validTo: at('End').optional(),
    yaml: z.string().describe('Its text'),
    proposedBy: z.string().describe('Account'),
    proposedAt: at('When'),
    approvals,
    approvalsNeeded,
    approvers,
    difference: z
      .array(
        z.strictObject({
          recipient: z.string().describe('For whom'),
          added: z.array(z.string()).describe('Pointers that leave only under the new version'),
          removed: z.array(z.string()).describe('Pointers that leave only under the old one'),
          changed: z.array(z.string()).describe('Pointers that leave in another form'),
          words: z.array(bilingual).describe('The same in words; empty: nothing changes'),
        }),
      )
      .optional()
      .describe('Of a waiting one: what it changes in what leaves, shown on the last day'),
  })
  .meta({ id: 'SharingPolicy' });
